package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// heldOutput keeps back what it is told to.
type heldOutput struct {
	discard
	since   time.Time // zero: nothing is kept back
	flushed int
}

func (h *heldOutput) oldest() (int64, bool) { return h.since.UnixMicro(), !h.since.IsZero() }

func (h *heldOutput) flush() error {
	h.flushed++
	h.since = time.Time{}
	return nil
}

func (h *heldOutput) forward([]udpstr.Frame) error { return nil }

// TestSettleHoldsOnlyWhatIsYoung: a rest that the next block completes in time may
// wait for it, an older one leaves at once, and no rest waits beyond flushInterval.
func TestSettleHoldsOnlyWhatIsYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &heldOutput{}
		f := newForwarder(nil, out, rpcap.SamplingRequest{}, &limits{})
		settle := func() time.Duration {
			t.Helper()
			wait, err := f.settle()
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		out.since = time.Now().Add(-10 * time.Millisecond)
		if wait := settle(); wait != idleWait || out.flushed != 1 {
			t.Fatalf("an old rest waits %v", wait)
		}
		out.since = time.Now().Add(-2 * time.Millisecond)
		if wait := settle(); wait != flushInterval-2*time.Millisecond || out.flushed != 1 {
			t.Fatalf("a young rest waits %v", wait)
		}
		time.Sleep(10 * time.Millisecond) // woken early, nothing new
		if wait := settle(); wait != flushInterval-12*time.Millisecond || out.flushed != 1 {
			t.Fatalf("then it waits %v", wait)
		}
		time.Sleep(10 * time.Millisecond)
		if settle(); out.flushed != 2 {
			t.Fatal("it did not leave in time")
		}
		// A clock that was set back must not hold a frame for hours.
		out.since = time.Now().Add(time.Hour)
		if wait := settle(); wait > flushInterval {
			t.Fatalf("after the clock stepped back a rest waits %v", wait)
		}
		time.Sleep(flushInterval)
		if settle(); out.flushed != 3 {
			t.Fatal("it did not leave after the clock stepped back")
		}
	})
}
