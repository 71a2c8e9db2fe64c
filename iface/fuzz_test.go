package iface

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// FuzzKernelBytes: whatever the kernel of a BSD answers, nothing is read beyond it, and what comes out is in range.
func FuzzKernelBytes(f *testing.F) {
	message := binary.NativeEndian.AppendUint16(nil, 8)
	f.Add(append(message, 5, 0x0e, 0, 0, 0, 0), []byte{255, 255, 240})
	f.Add([]byte{0, 0, 0, 0}, []byte{})
	f.Add(make([]byte, 48), []byte{255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b, mask []byte) {
		routeChanged(b, []byte{0x0e})
		for _, word := range []int{4, 8} {
			mediaFlags(b, word)
		}
		for _, addr := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			if n := (routeAddress{addr: addr, mask: mask}).prefix(); n < 0 || n > addr.BitLen() {
				t.Errorf("prefix %d of %v with mask % x", n, addr, mask)
			}
		}
	})
}
