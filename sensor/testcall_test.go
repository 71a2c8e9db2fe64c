package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/status"
)

// TestCallThatProbes: an end that asks to probe is told the ports and is no peer; the agent of the same address goes on, and when the
// call ends nothing of it is left.
func TestCallThatProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		b.connect("10.0.0.9", nil)
		if p := b.peer(); p.State != status.StateRunning {
			t.Fatalf("%+v", p)
		}
		before := b.peer()
		call := b.connect("10.0.0.9", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return [][]byte{errorReply(rpcap.CodeFindAll, rpcap.AsksToProbe)} })
		})
		told := call.told()
		if len(told) != 1 {
			t.Fatalf("told %+v", told)
		}
		offer, ok := rpcap.ParseProbeOffer(&told[0])
		if !ok || len(offer.Ports) != 4 || offer.Ports[0] != 2003 || offer.Seen.String() != "10.0.0.9" || offer.Token == 0 || time.Since(offer.Clock) > time.Second {
			t.Fatalf("%q: %+v", told[0].Text, offer)
		}
		if p := b.peer(); p.Name != before.Name || p.State != status.StateRunning || p.LastError != "" {
			t.Errorf("the agent of the address: %+v", p)
		}
		call.conn.Write(errorReply(rpcap.CodeRead, rpcap.SessionEnds+": done"))
		call.conn.Close()
		after(10 * time.Second)
		if p := b.peer(); p.Name != before.Name || p.State != status.StateRunning || p.LastError != "" || b.live() != 1 {
			t.Errorf("after the call: %+v, %d sessions", p, b.live())
		}
		silent := b.connect("10.0.0.9", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return [][]byte{errorReply(rpcap.CodeFindAll, rpcap.AsksToProbe)} })
		})
		after(2 * time.Minute)
		if b.live() != 1 || len(silent.told()) != 1 {
			t.Errorf("a call that stays: %d sessions, told %+v", b.live(), silent.told())
		}
	})
}

// TestCallThatProbesTCP: rules that take frames over TCP have no port to probe.
func TestCallThatProbesTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Rules: []Rule{{Name: "tcp", TCP: true}}})
		defer b.stop()
		call := b.connect("10.0.0.9", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return [][]byte{errorReply(rpcap.CodeFindAll, rpcap.AsksToProbe)} })
		})
		told := call.told()
		if len(told) != 1 {
			t.Fatalf("told %+v", told)
		}
		if offer, ok := rpcap.ParseProbeOffer(&told[0]); !ok || !offer.TCP || len(offer.Ports) != 0 {
			t.Errorf("%q: %+v, %v", told[0].Text, offer, ok)
		}
	})
}
