package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// TestAgentRestarts: an agent that died without a word comes back, gets another data port and begins again at number 0;
// what its former self has left on the way belongs to the former stream. Each stream is accounted for by itself.
func TestAgentRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		d := packed(t, testFrames(60, 100), 512)
		half := len(d) / 2
		before := b.connect("10.0.0.2", nil)
		b.feed(2003, "10.0.0.2:5000", d[:half]...)
		before.on(rpcap.TypeStatsRequest, func([]byte) [][]byte { return nil }) // gone, and nobody knows

		after(2 * time.Second)
		b.connect("10.0.0.2", nil)
		b.feed(2003, "10.0.0.2:5000", d[half]) // on its way since
		after(probeTimeout + lingerTime + time.Second)
		b.feed(2004, "10.0.0.2:5001", d...)
		b.feed(2003, "10.0.0.2:5000", d[half+1]) // later than anything of it can be
		after(time.Second)

		var now, was status.Peer
		for _, p := range b.Peers() {
			if p.State == status.StateRunning {
				now = p
			} else if p.State == status.StateEnded {
				was = p
			}
		}
		if now.Name != "10.0.0.2/eth0" || now.DataPort != 2004 || now.Received.Frames != 60 || now.Received.Missing != 0 || now.Rebound != 0 || now.Reconnects != 1 {
			t.Errorf("the new stream: %+v", now)
		}
		if was.Received.Datagrams != uint64(half+1) || was.Received.Missing != 0 || was.Tail != status.TailUnknown || was.LastError == "" {
			t.Errorf("the old stream: %+v", was)
		}
		foreign := uint64(0)
		for _, p := range b.Ports() {
			foreign += p.Foreign
		}
		if foreign != 1 {
			t.Errorf("%d foreign datagrams, want the last of the old stream", foreign)
		}
	})
}
