package rule

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// TestLongProgramExcludesOwn: what is too long for a kernel is run by the agent itself, and must not forward the export.
func TestLongProgramExcludesOwn(t *testing.T) {
	own := filter.Endpoint{Addr: netip.MustParseAddr("10.0.0.1"), Control: 2003, Data: []uint16{2003}}
	long := func(n int) rpcap.Program {
		p := make(rpcap.Program, n)
		for i := range p {
			p[i] = rpcap.Instruction{Op: 0x28, K: 12} // ldh [12]
		}
		p[n-1] = rpcap.Instruction{Op: 0x06, K: 262144}
		return p
	}
	for _, n := range []int{1, 4000, 4096, 8000} {
		p, err := ExcludeOwn(long(n), 1, own, 65535)
		if err != nil || filter.Validate(p) != nil {
			t.Fatalf("%d instructions: %v", n, err)
		}
		raw := make([]bpf.RawInstruction, len(p))
		for i, in := range p {
			raw[i] = bpf.RawInstruction{Op: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
		}
		program, _ := bpf.Disassemble(raw)
		vm, err := bpf.NewVM(program)
		if err != nil {
			t.Fatal(err)
		}
		for dst, keep := range map[string]bool{"10.0.0.1:2003": false, "10.0.0.2:53": true} {
			if got, err := vm.Run(udpFrame(netip.MustParseAddrPort("10.10.1.21:40000"), netip.MustParseAddrPort(dst))); err != nil || got > 0 != keep {
				t.Errorf("%d instructions, to %s: %d, %v", n, dst, got, err)
			}
		}
	}
	if p, err := ExcludeOwn(long(rpcap.MaxInstructions), 1, own, 65535); err == nil || len(p) != rpcap.MaxInstructions {
		t.Errorf("%d instructions, %v", len(p), err)
	}
}

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
