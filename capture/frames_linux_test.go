package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// sameFrames checks bytes, wire lengths and time stamps.
func sameFrames(t *testing.T, want [][]byte, got []frame, snaplen int, begun time.Time) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d frames, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if int(g.Len) != len(w) {
			t.Errorf("frame %d: wire length %d, want %d", i, g.Len, len(w))
		}
		if cut := w[:min(len(w), snaplen)]; !bytes.Equal(g.data, cut) {
			t.Errorf("frame %d: got %d bytes % x\nwant %d bytes % x", i, len(g.data), g.data[:min(40, len(g.data))], len(cut), cut[:min(40, len(cut))])
		}
		at := time.Unix(int64(g.Sec), int64(g.Usec)*1000)
		if at.Before(begun.Add(-time.Millisecond)) || at.After(time.Now()) {
			t.Errorf("frame %d: time stamp %v, sent between %v and now", i, at, begun)
		}
	}
}

func TestRootFramesWhole(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 65535)
	s := mustOpen(t, Options{Interface: "b"})
	if s.LinkType() != LinkTypeEthernet {
		t.Errorf("link type %d", s.LinkType())
	}
	in := newInjector(t, "a")
	var want [][]byte
	for i, n := range []int{14, 15, 60, 61, 64, 128, 1514, 1518, 4096, 9014, 16384, 65535, 65549, 60} {
		want = append(want, testFrame(n, uint32(i)))
	}
	begun := time.Now()
	in.send(want...)
	sameFrames(t, want, receive(t, s, len(want)), MaxSnaplen, begun)
	if st := checkSum(t, s); st.Received != uint64(len(want)) {
		t.Errorf("received %d", st.Received)
	}
}

func TestRootBothDirections(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	begun := time.Now()
	want := [][]byte{testFrame(60, 1), testFrame(61, 2)}
	newInjector(t, "a").send(want[0])
	newInjector(t, "b").send(want[1])
	sameFrames(t, want, receive(t, s, 2), MaxSnaplen, begun)
}

func TestRootVLANTagsRestored(t *testing.T) {
	t.Parallel()
	base := testFrame(100, 7)
	want := [][]byte{
		base,
		tagged(base, 0x8100, 0x0001),
		tagged(base, 0x8100, 0xefff), // priority, drop eligible, the highest number
		tagged(base, 0x8100, 0x0000), // priority tag
		tagged(base, 0x88a8, 0x0123),
		tagged(base, 0x88a8, 0x0123, 0x8100, 0x0456),
		tagged(base, 0x8100, 0x0123, 0x8100, 0x0456),
		tagged(base, 0x8100, 1, 0x8100, 2, 0x8100, 3),
		tagged(base, 0x9100, 0x0123), // no tag to the kernel
		base,
	}
	for _, snaplen := range []uint32{MaxSnaplen, 104, 103, 101, 100, 96, 20, 18, 17, 16, 14, 13, 12, 11, 4, 1} {
		t.Run(fmt.Sprint("snaplen=", snaplen), func(t *testing.T) {
			newNamespace(t)
			newVeth(t, "a", "b", 1500)
			s := mustOpen(t, Options{Interface: "b", Snaplen: snaplen})
			begun := time.Now()
			newInjector(t, "a").send(want...)
			sameFrames(t, want, receive(t, s, len(want)), int(snaplen), begun)
		})
	}
}

// superFrame is a TCP segment of more than an MTU as offload makes it, with the
// header that tells a device (virtio) how to cut it.
func superFrame(payload int) (vnet, f []byte) {
	f = make([]byte, 14+20+20+payload)
	copy(f, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00})
	ip := f[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(min(65535, 40+payload)))
	copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp[0:], 40000)
	binary.BigEndian.PutUint16(tcp[2:], 80)
	tcp[12], tcp[13] = 5<<4, 0x10
	tcp[16], tcp[17] = 0xab, 0xcd // what a partial checksum leaves
	for i := range payload {
		tcp[20+i] = byte(i * 31)
	}
	vnet = make([]byte, 10)
	vnet[0], vnet[1] = 1, 1 // VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4
	binary.NativeEndian.PutUint16(vnet[2:], 54)
	binary.NativeEndian.PutUint16(vnet[4:], 1448)
	binary.NativeEndian.PutUint16(vnet[6:], 34)
	binary.NativeEndian.PutUint16(vnet[8:], 16)
	return vnet, f
}

func TestRootOffloadedFramesWhole(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	in := newInjector(t, "a")
	if err := unix.SetsockoptInt(in.fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		netlab.Missing(t, "PACKET_VNET_HDR: "+err.Error())
	}
	for _, l := range []string{"a", "b"} { // beyond 64 KiB ("big TCP")
		if err := netlink.LinkSetGSOIPv4MaxSize(linkOf(t, l), 200000); err != nil {
			t.Logf("no frames above 64 KiB here: %v", err)
		}
		if err := netlink.LinkSetGSOMaxSize(linkOf(t, l), 200000); err != nil {
			t.Logf("no frames above 64 KiB here: %v", err)
		}
	}
	unix.SetsockoptInt(in.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 1<<20) // needs the host's CAP_NET_ADMIN
	begun := time.Now()
	var want [][]byte
	for _, n := range []int{2896, 20000, 65000, 100000, 180000} {
		vnet, f := superFrame(n)
		if err := in.try(append(vnet, f...)); err != nil {
			if n < 65536 {
				t.Fatalf("send %d bytes: %v", n, err)
			}
			t.Logf("no frame of %d bytes here: %v", n, err)
			continue
		}
		want = append(want, f)
	}
	sameFrames(t, want, receive(t, s, len(want)), MaxSnaplen, begun)
}

func TestRootSnapLengths(t *testing.T) {
	t.Parallel()
	sizes := []int{60, 95, 96, 97, 200, 1514, 9014, 14}
	for _, snaplen := range []uint32{1, 13, 14, 96, 1500, 9013, 0, MaxSnaplen + 1, 0xffffffff} {
		t.Run(fmt.Sprint(snaplen), func(t *testing.T) {
			newNamespace(t)
			newVeth(t, "a", "b", 9000)
			// The filter keeps everything: the ring cuts all the same.
			s := mustOpen(t, Options{Interface: "b", Snaplen: snaplen, Filter: acceptAll(MaxSnaplen)})
			var want [][]byte
			for i, n := range sizes {
				want = append(want, testFrame(n, uint32(i)))
			}
			begun := time.Now()
			newInjector(t, "a").send(want...)
			sameFrames(t, want, receive(t, s, len(want)), int(snaplenOf(snaplen)), begun)
		})
	}
}

func TestRootTun(t *testing.T) {
	newNamespace(t)
	tun := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "tun0"}, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_DEFAULTS | netlink.TUNTAP_NO_PI, Queues: 1}
	if err := netlink.LinkAdd(tun); err != nil {
		netlab.Missing(t, "tun device: "+err.Error())
	}
	t.Cleanup(func() { tun.Fds[0].Close() })
	addr, _ := netlink.ParseAddr("10.7.0.1/24")
	if err := netlink.AddrAdd(tun, addr); err != nil {
		t.Fatal(err)
	}
	setUp(t, "tun0")
	if lt, err := LinkType("tun0"); lt != LinkTypeRaw || err != nil {
		t.Fatalf("LinkType: %d, %v", lt, err)
	}
	s := mustOpen(t, Options{Interface: "tun0", Filter: onlyIPv4()})

	_, ether := superFrame(100)
	in := ether[14:] // from the network
	begun := time.Now()
	if _, err := tun.Fds[0].Write(in); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp4", "10.7.0.9:9") // to the network
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("through the tunnel")); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 2000)
	n, err := tun.Fds[0].Read(out)
	for err == nil && out[0]>>4 != 4 {
		n, err = tun.Fds[0].Read(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := receive(t, s, 2)
	if got[0].data[0] != 0x45 { // the reset that answers the segment may come between
		t.Fatalf("does not begin with the IP header: % x", got[0].data[:20])
	}
	sameFrames(t, [][]byte{in}, got[:1], MaxSnaplen, begun)
	found := false
	for _, g := range got[1:] {
		found = found || bytes.Equal(g.data, out[:n])
	}
	if !found {
		t.Errorf("packet to the tunnel missing or changed")
	}
}

func TestRootLoopbackOnce(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprint("oldKernel=", old), func(t *testing.T) {
			newNamespace(t)
			setUp(t, "lo")
			s := mustOpen(t, Options{Interface: "lo"})
			if old {
				if err := unix.SetsockoptInt(s.ring.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 0); err != nil {
					t.Fatal(err)
				}
				s.walk.skipOut = true
			}
			if s.LinkType() != LinkTypeEthernet {
				t.Errorf("link type %d", s.LinkType())
			}
			r, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			const n = 50
			for i := range n {
				if _, err := r.WriteTo(fmt.Appendf(nil, "datagram %02d", i), r.LocalAddr()); err != nil {
					t.Fatal(err)
				}
			}
			for i, f := range receive(t, s, n) {
				if want := fmt.Sprintf("datagram %02d", i); string(f.data[len(f.data)-len(want):]) != want || len(f.data) != 14+28+len(want) {
					t.Fatalf("frame %d: %q", i, f.data)
				}
			}
			silent(t, s, 50*time.Millisecond)
			if st := checkSum(t, s); st.Delivered != n || (st.Refused == n) != old {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestRootTooManyFramesForOneLease(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b", Retire: 300 * time.Millisecond})
	in := newInjector(t, "a")
	const n = leaseFrames + leaseFrames/2 // all in one block
	for i := range n {
		in.send(testFrame(60, uint32(i)))
	}
	got := receive(t, s, n)
	for i, f := range got {
		if !bytes.Equal(f.data, testFrame(60, uint32(i))) {
			t.Fatalf("frame %d is another", i)
		}
	}
	checkSum(t, s)
}

func TestRootSmallRings(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{1, 4096, 300 << 10, 1 << 20, 3 << 20} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			newNamespace(t)
			newVeth(t, "a", "b", 65535)
			s := mustOpen(t, Options{Interface: "b", RingBytes: bytes})
			in := newInjector(t, "a")
			var want [][]byte
			for i := range 40 { // several times round the smallest one
				want = append(want, testFrame(65549-i, uint32(i)))
			}
			begun := time.Now()
			var got []frame
			atOnce := 4
			if bytes <= 4096 { // has few blocks, and when the sender waits for its turn each frame takes one of its own
				atOnce = 1
			}
			for i := 0; i < len(want); i += atOnce {
				in.send(want[i : i+atOnce]...)
				got = append(got, receive(t, s, atOnce)...)
			}
			sameFrames(t, want, got, MaxSnaplen, begun)
		})
	}
}
