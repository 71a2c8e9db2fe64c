package sink

import (
	"testing"

	"rpcapd/udpstr"
)

// laterFeed has frames that wait until the test says otherwise.
type laterFeed struct{ n Counters }

func (f *laterFeed) Frame(*udpstr.Packet) { f.n.Waiting++ }
func (f *laterFeed) Counters() Counters   { return f.n }
func (f *laterFeed) Detach(Forwarded)     {}

// TestUnsettledBounded: nobody has to look for the feeds that are settled to be forgotten.
func TestUnsettledBounded(t *testing.T) {
	var u Unsettled
	var sum Counters
	change := func(_ string, by Counters) { sum.Add(by) }
	run := &sinkRun{name: "x"}
	for range 10_000 {
		f := &laterFeed{Counters{Waiting: 1}}
		sum.Add(f.Counters())
		u.Add(&Attachment{Feed: f, run: run}, f.Counters(), change)
		f.n = Counters{Written: 1, Bytes: 60}
	}
	if len(u.feeds) > 200 {
		t.Errorf("%d feeds are remembered", len(u.feeds))
	}
	if u.Settle(change); len(u.feeds) != 0 {
		t.Errorf("%d feeds are remembered when all are settled", len(u.feeds))
	}
	if sum != (Counters{Written: 10_000, Bytes: 600_000}) {
		t.Errorf("%+v", sum)
	}
}
