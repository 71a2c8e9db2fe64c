package receive

import (
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// TestClockOfACaptureFile: frames that were recorded long ago say nothing of the agent's clock.
func TestClockOfACaptureFile(t *testing.T) {
	c := clockOffset{}
	now := time.Now()
	recorded := now.Add(-20785 * 24 * time.Hour)
	c.frame(uint32(recorded.Unix()), 0, now, now.UnixMicro())
	var st status.Peer
	c.fill(&st)
	if st.ClockKnown || st.ClockOffset != 0 || st.FrameAge.Round(time.Hour) != 20785*24*time.Hour {
		t.Errorf("%+v", st)
	}
	st.Rule = "r"
	var text strings.Builder
	if err := status.WriteSummary(&text, status.Counters{}, []status.Peer{st}, nil); err != nil {
		t.Fatal(err)
	}
	if want := "\n  notes:     its frames are 20785 days old: a capture file, or a clock that was never set\n"; !strings.HasSuffix(text.String(), want) {
		t.Errorf("%q does not end with %q", text.String(), want)
	}
}

// TestClockOfABatch: of frames that arrive together the youngest counts, wherever it stands.
func TestClockOfABatch(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for youngest := range 3 {
		batch := make([]udpstr.Packet, 3)
		for i := range batch {
			batch[i].Sec, batch[i].Usec = uint32(now.Unix())-1, 999_000-uint32(i)
		}
		batch[youngest].Sec, batch[youngest].Usec = uint32(now.Unix()), 250
		var c clockOffset
		c.frames(batch, now, now.UnixMicro())
		if d, ok := c.offset(); !ok || d != 250*time.Microsecond {
			t.Errorf("youngest %d: %v, %v", youngest, d, ok)
		}
	}
}
