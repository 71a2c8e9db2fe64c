package receive

import (
	"net/netip"
	"testing"

	"rpcapd/sensor/status"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestGranted: what the kernel grants a data port is told, and the file can switch receive offload off.
func TestGranted(t *testing.T) {
	for _, off := range []bool{false, true} {
		sock, err := openUDP(off)(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		var st status.Port
		setGranted(&st, sock)
		g, ok := sock.(granter)
		if !ok || st.ReceiveBufferAsked != 32<<20 || st.GRO != g.GRO() || off && st.GRO {
			t.Errorf("GROOff %v: %+v", off, st)
		}
		if err := sock.Close(); err != nil {
			t.Error(err)
		}
	}
}

// buffered is a socket with a receive buffer of a given size.
type buffered struct {
	*fakeSocket
	granted int
}

func (b buffered) ReceiveBuffer() (asked, granted int) { return 1 << 20, b.granted }
func (buffered) GRO() bool                             { return true }

// TestGrantedSaid: at the start, once for all ports, and with the cure when it is less than asked.
func TestGrantedSaid(t *testing.T) {
	for granted, want := range map[int]zapcore.Level{1 << 20: zap.InfoLevel, 2 << 20: zap.InfoLevel, 1<<20 - 1: zap.WarnLevel, 0: zap.InfoLevel} {
		core, logs := observer.New(zap.DebugLevel)
		p := testPool(t, 3, func(a netip.AddrPort) (Socket, error) {
			return buffered{newFakeSocket(a.Port()), granted}, nil
		})
		p.log = zap.New(core)
		for i := range p.slots {
			p.slots[i].number = 0 // any port that is free
		}
		p.listen = netip.MustParseAddr("127.0.0.1")
		if err := p.probe(); err != nil {
			t.Fatal(err)
		}
		said := logs.All()
		if len(said) != 1 || said[0].Level != want || said[0].ContextMap()["receive_buffer_bytes"] != int64(granted) {
			t.Errorf("granted %d: %+v", granted, said)
		}
	}
}
