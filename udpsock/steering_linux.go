package udpsock

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Classic BPF, as SO_ATTACH_REUSEPORT_CBPF takes it (linux/bpf_common.h, linux/filter.h). The result is the number of the
// socket in the group.
const (
	loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	jumpEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpAlways = unix.BPF_JMP | unix.BPF_JA
	giveResult = unix.BPF_RET | unix.BPF_K

	protocol  = 0xfffff000 // SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType
	network   = 0xfff00000 // SKF_NET_OFF: the first byte of the IP header
	source4   = network + 12
	source6   = network + 8
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd

	expectedSocket = 0 // the receiver, bound first
	strangerSocket = 1

	maxInstructions = 4096 // BPF_MAXINSNS
)

// steering is the program: expectedSocket for the addresses, strangerSocket for all others.
func steering(expected []netip.Addr) ([]unix.SockFilter, error) {
	var v4, v6 []unix.SockFilter
	for _, a := range expected {
		a = a.Unmap().WithZone("")
		if a.Is4() {
			ip := a.As4()
			v4 = append(v4, unix.SockFilter{Code: jumpEqual, Jf: 1, K: binary.BigEndian.Uint32(ip[:])}, unix.SockFilter{Code: giveResult, K: expectedSocket})
			continue
		}
		ip := a.As16()
		for i := uint32(0); i < 16; i += 4 {
			v6 = append(v6, unix.SockFilter{Code: loadWord, K: source6 + i},
				unix.SockFilter{Code: jumpEqual, Jf: uint8(7 - i/2), K: binary.BigEndian.Uint32(ip[i:])}) // to the next address
		}
		v6 = append(v6, unix.SockFilter{Code: giveResult, K: expectedSocket})
	}
	if n := len(v4) + len(v6) + 8; n > maxInstructions {
		return nil, fmt.Errorf("%d addresses: more than a program of the kernel has room for", len(expected))
	}
	other := unix.SockFilter{Code: giveResult, K: strangerSocket}
	p := []unix.SockFilter{
		{Code: loadHalf, K: protocol},
		{Code: jumpEqual, Jt: 1, K: etherIPv4},
		{Code: jumpAlways, K: uint32(2 + len(v4))}, // to the test for IPv6
		{Code: loadWord, K: source4},
	}
	p = append(append(p, v4...), other, unix.SockFilter{Code: jumpEqual, Jt: 1, K: etherIPv6}, other)
	return append(append(p, v6...), other), nil
}
