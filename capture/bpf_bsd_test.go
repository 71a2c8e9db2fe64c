//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package capture

import (
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestSystemLayout: the layout that the tests use for this system is the one of its structures.
func TestSystemLayout(t *testing.T) {
	name := map[string]string{
		"darwin": "macOS and OpenBSD", "openbsd": "macOS and OpenBSD",
		"freebsd": "FreeBSD, NetBSD and DragonFly", "netbsd": "FreeBSD, NetBSD and DragonFly", "dragonfly": "FreeBSD, NetBSD and DragonFly",
	}[runtime.GOOS]
	if unsafe.Sizeof(uintptr(0)) == 8 && systemLayout != layouts[name] {
		t.Errorf("%+v, want %+v", systemLayout, layouts[name])
	}
}

// TestBPFLoopback captures what this test sends over loopback: each packet once. It needs the right to read /dev/bpf.
func TestBPFLoopback(t *testing.T) {
	s, err := Open(Options{Interface: loopbackName(t), Filter: bpfFilter(t, LinkTypeRaw, 0, keepVersion(4)), RingBytes: 1 << 20})
	if errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	const marked = "a datagram of TestBPFLoopback"
	if _, err := in.WriteTo([]byte(marked), in.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	found := 0
	for limit := time.Now().Add(time.Second); time.Now().Before(limit); {
		frames, err := s.Next(limit)
		if err == os.ErrDeadlineExceeded {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			if len(f.Data) == 28+len(marked) && string(f.Data[28:]) == marked {
				found++
			}
		}
	}
	if found != 1 || s.LinkType() != LinkTypeRaw {
		t.Errorf("the datagram came %d times, link type %d", found, s.LinkType())
	}
	began := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { s.Close() })
	for err = nil; err == nil; {
		_, err = s.Next(time.Time{})
	}
	if err != net.ErrClosed || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func loopbackName(t *testing.T) string {
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return i.Name
		}
	}
	t.Skip("no loopback interface is up")
	return ""
}

// TestSystemRequests: the numbers of requests have the sizes of the structures in them with which they are called here, and
// those structures the sizes of C. Where package unix has another opinion than this package, it does not compile or fails.
func TestSystemRequests(t *testing.T) {
	const word = unsafe.Sizeof(uintptr(0))
	var stat unix.BpfStat
	for name, c := range map[string]struct {
		request uint
		size    uintptr
	}{
		"BIOCSETF": {unix.BIOCSETF, unsafe.Sizeof(unix.BpfProgram{})}, "BIOCSETIF": {unix.BIOCSETIF, bpfRequestLen},
		"BIOCSBLEN": {unix.BIOCSBLEN, 4}, "BIOCGBLEN": {unix.BIOCGBLEN, 4}, "BIOCIMMEDIATE": {unix.BIOCIMMEDIATE, 4},
		"BIOCGDLT": {unix.BIOCGDLT, 4}, "BIOCSDLT": {unix.BIOCSDLT, 4}, "BIOCPROMISC": {unix.BIOCPROMISC, 0},
		"BIOCGSTATS": {unix.BIOCGSTATS, unsafe.Sizeof(stat)}, "FIONREAD": {fionread, 4},
		"BIOCGDLTLIST": {unix.BIOCGDLTLIST, dltListLen},
	} {
		if size := uintptr(c.request >> 16 & 0x1fff); size != c.size {
			t.Errorf("%s: %d bytes, called with %d", name, size, c.size)
		}
	}
	if n := unsafe.Sizeof(unix.BpfProgram{}); n != 2*word {
		t.Errorf("struct bpf_program has %d bytes", n)
	}
	if n := unsafe.Sizeof(unix.BpfInsn{}); n != 8 {
		t.Errorf("struct bpf_insn has %d bytes", n)
	}
	if bpfRequestLen < unix.IFNAMSIZ || systemLayout.headerLen() > int(unsafe.Sizeof(unix.BpfHdr{})) {
		t.Errorf("struct ifreq has %d bytes, struct bpf_hdr %d, of which %d are read", bpfRequestLen, unsafe.Sizeof(unix.BpfHdr{}), systemLayout.headerLen())
	}
	if systemLayout.caplenAt+4 != int(unsafe.Offsetof(unix.BpfHdr{}.Datalen)) {
		t.Error("the length on the wire does not follow the captured length")
	}
}
