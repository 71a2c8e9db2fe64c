package sensor

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// udpFrame is an Ethernet frame with an IPv4 UDP datagram.
func udpFrame(src, dst netip.AddrPort) []byte {
	b := make([]byte, 14+20+8+64)
	binary.BigEndian.PutUint16(b[12:], 0x0800)
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(ip[20:], src.Port())
	binary.BigEndian.PutUint16(ip[22:], dst.Port())
	binary.BigEndian.PutUint16(ip[24:], uint16(len(ip)-20))
	return b
}

// TestOwnTrafficIsExcluded: C agents forward what they forward unless the program says otherwise.
func TestOwnTrafficIsExcluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		a := b.connect("10.10.1.21", nil) // captures the interface that carries the export
		keeps := func(p rpcap.Program, src, dst string) bool {
			t.Helper()
			raw := make([]bpf.RawInstruction, len(p))
			for i, in := range p {
				raw[i] = bpf.RawInstruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
			}
			program, _ := bpf.Disassemble(raw)
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatal(err)
			}
			n, err := vm.Run(udpFrame(netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)))
			return err == nil && n > 0
		}
		// A mirror port has no address of the agent, and yet the export may pass it.
		mirror := b.connect("10.10.1.21", func(a *testAgent) {
			a.list = list(testInterface("eth0", "10.10.1.21"), testInterface("span", "192.168.4.1"))
			a.list[1].Description = rpcap.Description{Preselected: true}.String()
		})
		for _, tc := range []struct {
			src, dst string
			keep     bool
		}{
			{"10.10.1.21:40000", "10.0.0.1:2003", false}, // its export
			{"10.10.1.99:40000", "10.0.0.1:2003", false}, // another agent's
			{"10.10.1.99:40000", "10.0.0.1:2006", false}, // to the last port of the range, where this capture is not
			{"10.10.1.99:40000", "10.0.0.1:2007", true},
			{"10.0.0.1:2003", "10.10.1.21:40000", false},
			{"10.10.1.21:40000", "10.0.0.1:53", true},
			{"10.10.1.21:40000", "10.0.0.9:2003", true},
		} {
			if got := keeps(a.start.Filter, tc.src, tc.dst); got != tc.keep {
				t.Errorf("%s > %s kept: %v", tc.src, tc.dst, got)
			}
			if got := keeps(mirror.start.Filter, tc.src, tc.dst); got != tc.keep {
				t.Errorf("mirror port: %s > %s kept: %v", tc.src, tc.dst, got)
			}
		}
	})
}
