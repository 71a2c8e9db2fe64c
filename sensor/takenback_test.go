package sensor

import "testing"

// owingSink could not write some frames of streams that have ended.
type owingSink struct{ countingSink }

func (*owingSink) Name() string { return "owing" }

func (*owingSink) Status() SinkStatus {
	return SinkStatus{FeedCounters: FeedCounters{Dropped: 3, Bytes: 30}}
}

// TestFramesTakenBack: what a sink could not write after all is dropped, not written.
func TestFramesTakenBack(t *testing.T) {
	h := testHub(t, []Sink{&owingSink{}})
	h.runs[0].ended = FeedCounters{Written: 10, Bytes: 100, Dropped: 1}
	if st := h.status()[0]; st.FeedCounters != (FeedCounters{Written: 7, Bytes: 70, Dropped: 4}) {
		t.Errorf("%+v", st.FeedCounters)
	}
}
