package receive

import (
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/status"
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
