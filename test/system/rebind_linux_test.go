package system

import (
	"errors"
	"strings"
	"testing"

	"rpcapd/test/netlab"
)

// TestRootPortChangedOnTheWay: a NAT begins under way, on the agent's own host, and gives its datagrams another source port. The
// agent has named its port and there was no NAT when it began. Nearly every frame arrives, the others are accounted for, and
// the sensor says what has happened.
func TestRootPortChangedOnTheWay(t *testing.T) {
	t.Parallel()
	const size, rate, frames = 300, 5_000, 12_000
	x := newDirect(t)
	x.send(t, size, rate, frames/4)
	// Nothing may leave while the rules begin: a datagram before the rule and behind the tracking of connections, which begins
	// first, makes a connection that keeps its port.
	x.agent.Await("all frames forwarded", func() bool {
		c := x.agent.session().Capture
		return c != nil && c.Packed >= frames/4
	})
	(&export{agent: x.agent, sensor: x.sensor}).rest()
	err := x.host.NFT("table ip nat { chain out { type nat hook postrouting priority 100; " +
		"oifname \"eth1\" udp dport 2003-2034 snat to " + exportV4 + ":40000-40100; }; }")
	switch {
	case errors.Is(err, netlab.ErrNoNFT):
		netlab.Missing(t, err.Error())
	case err != nil:
		netlab.Missing(t, "this kernel has no NAT: "+err.Error())
	}
	x.send(t, size+1, rate, frames-frames/4)
	x.sensor.Says("stream continues from another source port", 1)
	n := settle(t, x.agent, x.sensor)
	n.check(t)
	got := n.numbered(t, size) + n.numbered(t, size+1)
	t.Logf("%d of %d frames, %d missing", got, frames, n.sensor.missing)
	if got < frames-rate/2 || uint64(got)+n.sensor.missing < frames { // half a second
		t.Errorf("%d of %d frames: %+v", got, frames, n.sensor)
	}
	if n := strings.Count(x.sensor.Text(), "another sender"); n != 0 {
		t.Errorf("%d warnings of another sender", n)
	}
}
