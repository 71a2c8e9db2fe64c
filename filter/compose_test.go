package filter

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// tcpPort80 is what the libpcap compiler makes of "tcp port 80" for Ethernet.
var tcpPort80 = rpcap.Program{
	{Op: 0x28, K: 12},
	{Op: 0x15, Jf: 6, K: 0x86dd},
	{Op: 0x30, K: 20},
	{Op: 0x15, Jf: 15, K: 6},
	{Op: 0x28, K: 54},
	{Op: 0x15, Jt: 12, K: 80},
	{Op: 0x28, K: 56},
	{Op: 0x15, Jt: 10, Jf: 11, K: 80},
	{Op: 0x15, Jf: 10, K: 0x800},
	{Op: 0x30, K: 23},
	{Op: 0x15, Jf: 8, K: 6},
	{Op: 0x28, K: 20},
	{Op: 0x45, Jt: 6, K: 0x1fff},
	{Op: 0xb1, K: 14},
	{Op: 0x48, K: 14},
	{Op: 0x15, Jt: 2, K: 80},
	{Op: 0x48, K: 16},
	{Op: 0x15, Jf: 1, K: 80},
	{Op: 0x06, K: 262144},
	{Op: 0x06, K: 0},
}

// TestRealProgram runs a compiled filter behind the prefix: what it refuses stays
// refused, what it accepts is cut, and own traffic that it would accept is dropped.
func TestRealProgram(t *testing.T) {
	const snaplen = 70
	ex := testExclusion()
	ex.Endpoints[0].Control = 80
	web := func(src, dst string, sport, dport uint16) []byte {
		return packet{src: src, dst: dst, proto: 6, sport: sport, dport: dport, payload: make([]byte, 100)}.ethernet()
	}
	cases := []struct {
		name  string
		frame []byte
		want  int
	}{
		{"web", web(other4, "203.0.113.4", 40000, 80), snaplen},
		{"web, back", web("203.0.113.4", other4, 80, 40000), snaplen},
		{"web, IPv6", web(other6, near6, 40000, 80), snaplen},
		{"web, short", web(other4, "203.0.113.4", 40000, 80)[:60], 60},
		{"mail", web(other4, "203.0.113.4", 40000, 25), 0},
		{"datagram", packet{src: other4, dst: "203.0.113.4", proto: 17, sport: 1, dport: 80}.ethernet(), 0},
		{"control on port 80", web(other4, sensor4, 40000, 80), 0},
		{"control on port 80, back", web(sensor4, other4, 80, 40000), 0},
		{"web of the sensor's other address", web(other6, sensor6, 40000, 80), snaplen},
		{"ARP", append([]byte{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 8, 6}, make([]byte, 46)...), 0},
	}
	for _, compose := range []func(uint32, Exclusion, rpcap.Program, uint32) (Program, error){Compose, UserSpace} {
		p, err := compose(linkEthernet, ex, tcpPort80, snaplen)
		if err != nil {
			t.Fatal(err)
		}
		run := machines(t, p)
		for _, c := range cases {
			for _, m := range run {
				if got := m.run(c.frame); got != c.want {
					t.Errorf("%s (VM %v): %s: keeps %d, want %d", m.name, p.VM != nil, c.name, got, c.want)
				}
			}
		}
	}
}

func TestSnaplen(t *testing.T) {
	for _, c := range []struct{ snaplen, ret, want uint32 }{
		{0, 0xffffffff, rpcap.MaxSnaplen},
		{0xffffffff, rpcap.MaxSnaplen + 1, rpcap.MaxSnaplen},
		{96, rpcap.MaxSnaplen, 96},
		{96, 40, 40},
		{96, 0, 0},
	} {
		p, err := Compose(linkEthernet, Exclusion{}, rpcap.Program{op(opRetK, c.ret)}, c.snaplen)
		if err != nil {
			t.Fatal(err)
		}
		if want := []bpf.RawInstruction{{Op: opRetK, K: c.want}}; !slices.Equal(p.Kernel, want) || p.VM != nil {
			t.Errorf("return %d, snap length %d: %v, want %v", c.ret, c.snaplen, p.Kernel, want)
		}
	}
}

// TestUserSpaceReach: the kernel gives the VM what its program may look at, and
// the snap length at least.
func TestUserSpaceReach(t *testing.T) {
	for _, c := range []struct {
		name string
		p    rpcap.Program
		want uint32
	}{
		{"no load", acceptAll(), 50},
		{"load before the cut", rpcap.Program{op(opLdW, 46), op(opRetK, 99)}, 50},
		{"load at the cut", rpcap.Program{op(opLdW, 47), op(opRetK, 99)}, 51},
		{"header length", rpcap.Program{op(opLdxMsh, 70), op(opRetK, 99)}, 71},
		{"indirect load", rpcap.Program{op(opLdBX, 0), op(opRetK, 99)}, rpcap.MaxSnaplen},
		{"very far load", rpcap.Program{op(opLdW, 0x7fffffff), op(opRetK, 99)}, rpcap.MaxSnaplen},
		{"tag", rpcap.Program{op(opLdW, ancillaryVLANTag), op(opRetK, 99)}, 50},
	} {
		p, err := UserSpace(linkEthernet, Exclusion{}, c.p, 50)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Kernel[len(p.Kernel)-1].K; got != c.want || p.VM == nil {
			t.Errorf("%s: the kernel keeps %d bytes, want %d", c.name, got, c.want)
		}
	}
	// A verdict that hangs on a byte behind the snap length.
	p, err := UserSpace(linkEthernet, testExclusion(), rpcap.Program{
		op(opLdB, 80), {Op: opJeqK, K: 7, Jf: 1}, op(opRetK, 99), op(opRetK, 0),
	}, 50)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 120)
	for _, m := range machines(t, p) {
		frame[80] = 7
		if got := m.run(frame); got != 50 {
			t.Errorf("%s: keeps %d, want 50", m.name, got)
		}
		frame[80] = 8
		if got := m.run(frame); got != 0 {
			t.Errorf("%s: keeps %d, want 0", m.name, got)
		}
	}
}

// TestMachineOfTruncatedCapture: where frames of a file are cut, own traffic is
// judged by the bytes that are there, not by the length on the wire.
func TestMachineOfTruncatedCapture(t *testing.T) {
	p, err := Compose(linkEthernet, testExclusion(), acceptAll(), 0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.Machine()
	if err != nil {
		t.Fatal(err)
	}
	frame := packet{src: other4, dst: sensor4, proto: 6, sport: 1, dport: 443}.ethernet()
	for n := 1; n <= len(frame); n++ {
		if got := v.Run(frame[:n], 1500); got != n {
			t.Fatalf("cut to %d bytes: keeps %d", n, got)
		}
	}
}

func TestRejectAll(t *testing.T) {
	for _, m := range []machine{{"kernel", kernelMachine(t, RejectAll())}} {
		if m.run != nil && m.run(vmFrame) != 0 {
			t.Errorf("%s keeps a frame", m.name)
		}
	}
	if err := Validate(fromRaw(RejectAll())); err != nil {
		t.Error(err)
	}
}

// TestComposeKeepsItsInput: the caller's program is not changed, and changing it
// later changes nothing.
func TestComposeKeepsItsInput(t *testing.T) {
	p := slices.Clone(tcpPort80)
	out, err := Compose(linkEthernet, testExclusion(), p, 60)
	if err != nil || !slices.Equal(p, tcpPort80) {
		t.Fatalf("program changed (%v)", err)
	}
	clear(p)
	v, err := out.Machine()
	if err != nil {
		t.Fatal(err)
	}
	frame := packet{src: other4, dst: "203.0.113.4", proto: 6, sport: 80, dport: 1}.ethernet()
	if got := v.Run(frame, 60); got != len(frame) {
		t.Errorf("keeps %d", got)
	}
}
