package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"rpcapd/filter"
	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

// newNamespace puts the test's goroutine and its thread into a network namespace
// of its own, without IPv6 so that no frames appear by themselves. One thread does
// all: it sends at one end of a cable and captures at the other. The namespace ends
// with the test, because the thread is not given back.
func newNamespace(t testing.TB) {
	t.Helper()
	netlab.Require(t)
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("make network namespace: %v", err)
	}
	for _, c := range []string{"all", "default"} {
		err := os.WriteFile("/proc/sys/net/ipv6/conf/"+c+"/disable_ipv6", []byte("1"), 0)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// newVeth makes the pair a (where tests send) and b (where they capture), up.
func newVeth(t testing.TB, a, b string, mtu int) {
	t.Helper()
	v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: a, MTU: mtu}, PeerName: b, PeerMTU: uint32(mtu)}
	if err := netlink.LinkAdd(v); err != nil {
		t.Fatal(err)
	}
	setUp(t, a)
	setUp(t, b)
}

func linkOf(t testing.TB, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return l
}

func setUp(t testing.TB, name string) {
	t.Helper()
	if err := netlink.LinkSetUp(linkOf(t, name)); err != nil {
		t.Fatal(err)
	}
	awaitCarrier(t, name)
}

// awaitCarrier waits until both ends of a virtual cable that are up have noticed each other: what is sent before is lost.
func awaitCarrier(t testing.TB, name string) {
	t.Helper()
	peer := linkOf(t, name).Attrs().ParentIndex
	running := func(l netlink.Link) bool { return l.Attrs().OperState == netlink.OperUp }
	for limit := time.Now().Add(waitLimit); peer != 0; time.Sleep(time.Millisecond) {
		other, err := netlink.LinkByIndex(peer)
		if err != nil || other.Attrs().Flags&net.FlagUp == 0 || running(other) && running(linkOf(t, name)) {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%s: no carrier", name)
		}
	}
}

// injector sends whole frames on an interface.
type injector struct {
	t  testing.TB
	fd int
}

func newInjector(t testing.TB, ifname string) *injector {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: linkOf(t, ifname).Attrs().Index}); err != nil {
		t.Fatal(err)
	}
	return &injector{t: t, fd: fd}
}

func (in *injector) send(frames ...[]byte) {
	in.t.Helper()
	for _, f := range frames {
		if err := in.try(f); err != nil {
			in.t.Fatalf("send %d bytes: %v", len(f), err)
		}
	}
}

func (in *injector) try(f []byte) error {
	for {
		_, err := unix.Write(in.fd, f)
		if err != unix.ENOBUFS && err != unix.EAGAIN && err != unix.EINTR {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// testFrame is an Ethernet frame of n bytes with a sequence number and a pattern.
func testFrame(n int, seq uint32) []byte {
	f := make([]byte, n)
	copy(f, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5})
	for i := 14; i < n; i++ {
		f[i] = byte(i*7) ^ byte(seq)
	}
	if n >= 18 {
		binary.BigEndian.PutUint32(f[14:], seq)
	}
	return f
}

// tagged puts VLAN tags (TPID and TCI in pairs, outermost first) into a frame.
func tagged(f []byte, tags ...uint16) []byte {
	out := append([]byte(nil), f[:12]...)
	for _, v := range tags {
		out = binary.BigEndian.AppendUint16(out, v)
	}
	return append(out, f[12:]...)
}

// acceptAll keeps n bytes of every frame.
func acceptAll(n uint32) filter.Program {
	return filter.Program{Kernel: []bpf.RawInstruction{{Op: 6, K: n}}}
}

// onlyIPv4 keeps raw IP packets of version 4.
func onlyIPv4() filter.Program {
	return filter.Program{Kernel: []bpf.RawInstruction{
		{Op: 0x30, K: 0}, {Op: 0x54, K: 0xf0}, {Op: 0x15, Jf: 1, K: 0x40}, {Op: 6, K: MaxSnaplen}, {Op: 6},
	}}
}

// onlyType keeps frames of one EtherType.
func onlyType(t uint32) filter.Program {
	return filter.Program{Kernel: []bpf.RawInstruction{
		{Op: 0x28, K: 12}, {Op: 0x15, Jf: 1, K: t}, {Op: 6, K: MaxSnaplen}, {Op: 6},
	}}
}

func mustOpen(t testing.TB, o Options) *ringSource {
	t.Helper()
	if o.Filter.Kernel == nil {
		o.Filter = acceptAll(snaplenOf(o.Snaplen))
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*ringSource)
}

// receive takes n frames, or fails after waitLimit.
func receive(t testing.TB, s Source, n int) []frame {
	t.Helper()
	var got []frame
	for limit := time.Now().Add(waitLimit); len(got) < n; {
		fs, err := s.Next(within(100 * time.Millisecond))
		if err != nil && err != os.ErrDeadlineExceeded {
			t.Fatalf("Next: %v", err)
		}
		for _, f := range fs {
			got = append(got, frame{bytes.Clone(f.Data), f})
		}
		s.Release()
		if time.Now().After(limit) {
			t.Fatalf("got %d frames of %d", len(got), n)
		}
	}
	return got
}

// silent fails if a frame comes within d.
func silent(t testing.TB, s Source, d time.Duration) {
	t.Helper()
	if fs, err := s.Next(within(d)); err != os.ErrDeadlineExceeded {
		t.Fatalf("Next: %d frames, error %v; want none", len(fs), err)
	}
}

// rest takes all frames until io.EOF and returns their number.
func rest(t testing.TB, s Source) (n uint64) {
	t.Helper()
	for limit := time.Now().Add(waitLimit); ; {
		fs, err := s.Next(within(time.Second))
		n += uint64(len(fs))
		s.Release()
		if err == io.EOF {
			return n
		}
		if err != nil && err != os.ErrDeadlineExceeded || time.Now().After(limit) {
			t.Fatalf("drain: %v", err)
		}
	}
}

func statsOf(t testing.TB, s Source) Stats {
	t.Helper()
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// checkSum is the equation of the package comment, with nothing in the ring but what is refused there.
func checkSum(t testing.TB, s Source) Stats {
	t.Helper()
	st := statsOf(t, s)
	for limit := time.Now().Add(waitLimit); st.Received != st.RingDrops+st.Delivered+st.Refused; st = statsOf(t, s) {
		if fs, err := s.Next(within(20 * time.Millisecond)); err != os.ErrDeadlineExceeded || time.Now().After(limit) {
			t.Fatalf("received %d != dropped %d + delivered %d + refused %d; then %d frames, %v",
				st.Received, st.RingDrops, st.Delivered, st.Refused, len(fs), err)
		}
	}
	return st
}

// waitLimit bounds every wait for what should come soon. drainLimit is longer than the kernel needs to hand a block over.
const (
	waitLimit  = 40 * time.Second
	drainLimit = 20 * time.Second
)

// unsafeBytes are the bytes of words.
func unsafeBytes(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
}
