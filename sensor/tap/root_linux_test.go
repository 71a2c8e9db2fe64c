package tap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"

	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

const patience = 30 * time.Second

// host is a namespace where there may be TAP interfaces.
func host(t testing.TB) *netlab.Namespace {
	t.Helper()
	n := netlab.New(t).Namespace("host")
	fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		netlab.Missing(t, "open "+cloneDevice+": "+err.Error())
	}
	unix.Close(fd)
	return n
}

// running is a sink at work in a namespace.
type running struct {
	*Sink
	cancel context.CancelFunc
	done   chan error
}

// run runs a sink; its Run is called once.
func run(t *testing.T, n *netlab.Namespace, k *Sink) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{Sink: k, cancel: cancel, done: make(chan error, 1)}
	go func() {
		var err error
		if doErr := n.Do(func() error { err = k.Run(ctx); return nil }); doErr != nil {
			err = doErr
		}
		r.done <- err
	}()
	t.Cleanup(cancel)
	return r
}

// ends waits for Run to return.
func (r *running) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("Run does not return")
		return nil
	}
}

func open(t testing.TB, n *netlab.Namespace, o Options) *Sink {
	t.Helper()
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Must(k.Open)
	t.Cleanup(func() { k.Close() })
	return k
}

// reader sees what passes on an interface, as Suricata and tcpdump do.
type reader struct {
	t  *testing.T
	fd int
}

func read(t *testing.T, n *netlab.Namespace, name string) *reader {
	t.Helper()
	r := &reader{t: t}
	n.Must(func() (err error) {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
		if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		if unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20) != nil { // for the machine's root only
			_ = unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<20) // as far as net.core.rmem_max
		}
		return errors.Join(
			unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
			unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 300_000}),
			unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index}),
		)
	})
	t.Cleanup(func() { unix.Close(r.fd) })
	return r
}

var (
	buffer = make([]byte, 300_000)
	aside  = make([]byte, 256)
)

// next is the next frame with its VLAN tag put back, nil if none comes.
func (r *reader) next() []byte {
	r.t.Helper()
	b, oob := buffer, aside
	n, oobn, _, _, err := unix.Recvmsg(r.fd, b, oob, 0)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
	b = b[:n]
	list, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		r.t.Fatal(err)
	}
	for _, m := range list {
		// struct tpacket_auxdata of include/uapi/linux/if_packet.h
		if status := binary.NativeEndian.Uint32(m.Data); m.Header.Type == unix.PACKET_AUXDATA && status&unix.TP_STATUS_VLAN_VALID != 0 {
			tag := binary.BigEndian.AppendUint16(nil, binary.NativeEndian.Uint16(m.Data[18:]))
			tag = binary.BigEndian.AppendUint16(tag, binary.NativeEndian.Uint16(m.Data[16:]))
			b = slices.Concat(b[:12], tag, b[12:])
		}
	}
	return b
}

// sees reports whether a frame comes, among those that the kernel sends on an interface that nobody silenced.
func (r *reader) sees(want []byte) bool {
	r.t.Helper()
	for {
		got := r.next()
		if got == nil || bytes.Equal(got, want) {
			return got != nil
		}
	}
}

// TestRootFrameForFrame: what is given comes out, byte for byte, in order, of all sizes; the MTU follows.
func TestRootFrameForFrame(t *testing.T) {
	n := host(t)
	k := open(t, n, Options{Interface: "rpcap0", MTU: 1500})
	r := read(t, n, "rpcap0")
	tap := run(t, n, k)
	f := k.Attach(sink.Source{Host: "a", Interface: "eth0", LinkType: 1})
	for _, tc := range []struct {
		frame []byte
		mtu   int
	}{
		{ether(14), 1500}, {ether(60), 1500}, {ether(1514), 1500},
		{ether(64, 0x81, 0, 0x60, 7, 8, 0), 1500},                            // tagged
		{ether(1522, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 8, 0), 1500},           // twice
		{ether(20, 0x81, 0, 0, 7, 8, 0), 1500},                               // tagged, as short as can be
		{ether(64, 0x88, 0xb5), 1500},                                        // a protocol that nobody knows
		{ether(64, 0, 50), 1500},                                             // 802.3 with a length
		{append([]byte("\xff\xff\xff\xff\xff\xff"), ether(60)[6:]...), 1500}, // broadcast
		{append([]byte("\x01\x00\x5e\x00\x00\x01"), ether(60)[6:]...), 1500}, // multicast
		{ether(9014), 9216}, {ether(9234, 0x81, 0, 0, 7, 8, 0), 9216},        // jumbo
		{ether(9300), MaxMTU}, {ether(65535), MaxMTU}, {ether(65549), MaxMTU}, // what segmentation offload makes
		{ether(65553, 0x81, 0, 0, 7, 0x86, 0xdd), MaxMTU}, {ether(200_000), MaxMTU}, // and of IPv6 with jumbograms
		{ether(262_144), MaxMTU},
	} {
		f.Frame(packet(tc.frame))
		if got := r.next(); !bytes.Equal(got, tc.frame) {
			t.Errorf("frame of %d bytes: got %d: %x", len(tc.frame), len(got), got[:min(len(got), 40)])
		}
		if mtu := n.Link("rpcap0").Attrs().MTU; mtu != tc.mtu {
			t.Errorf("MTU %d after a frame of %d bytes, want %d", mtu, len(tc.frame), tc.mtu)
		}
	}
	for _, short := range [][]byte{{}, ether(14)[:13], ether(19, 0x81, 0, 0, 7, 8)} {
		f.Frame(packet(short))
	}
	if got := r.next(); got != nil {
		t.Errorf("a frame that is too short came out as %x", got)
	}
	if c := f.Counters(); c.Written != 18 || c.Dropped != 3 {
		t.Errorf("counters %+v", c)
	}
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
	n.Must(func() error {
		if _, err := net.InterfaceByName("rpcap0"); err == nil {
			return errors.New("the interface is still there at the end")
		}
		return nil
	})
}

// TestRootOrder: a flood comes out in order, and none is lost between queue and reader.
func TestRootOrder(t *testing.T) {
	n := host(t)
	k := open(t, n, Options{Interface: "rpcap0"})
	r := read(t, n, "rpcap0")
	tap := run(t, n, k)
	f := k.Attach(sink.Source{LinkType: 1})
	const frames = 20_000
	for i := range frames {
		b := ether(64)
		binary.BigEndian.PutUint32(b[20:], uint32(i))
		f.Frame(packet(b))
	}
	dropped := 0
	for next := uint32(0); next < frames; next++ {
		b := r.next()
		if b == nil {
			dropped += int(frames - next)
			break
		}
		if got := binary.BigEndian.Uint32(b[20:]); got < next {
			t.Fatalf("frame %d after %d", got, next)
		} else {
			dropped += int(got - next)
			next = got
		}
	}
	missed, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS) // by the reader's small buffer
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Counters(); c.Written+c.Dropped != frames || c.Dropped+uint64(missed.Drops) != uint64(dropped) {
		t.Errorf("counters %+v, %d did not come out, of which the reader missed %d", c, dropped, missed.Drops)
	}
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
}

// broadcast is a UDP datagram for 10.5.0.1, port 9, in a broadcast frame: the kernel would take it on any interface.
func broadcast() []byte {
	ip := []byte{
		0x45, 0, 0, 33, 0, 0, 0, 0, 64, 17, 0, 0, 10, 6, 0, 9, 10, 5, 0, 1,
		0x12, 0x34, 0, 9, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o',
	}
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum+sum>>16))
	return slices.Concat([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x02\x08\x00"), ip)
}

// TestRootGuard: the machine itself neither takes the frames in nor sends anything. Without the guard it does take them.
func TestRootGuard(t *testing.T) {
	for _, noGuard := range []bool{false, true} {
		n := host(t)
		n.AddBridge("br0") // an interface with an address and the way back to the sender
		n.AddAddr("br0", "10.5.0.1/16")
		n.AddRoute("10.6.0.0/16", "10.5.0.2")
		n.Sysctl("ipv4/conf/all/rp_filter", "0")
		n.Sysctl("ipv4/conf/default/rp_filter", "0")
		k := open(t, n, Options{Interface: "rpcap0", NoGuard: noGuard})
		r := read(t, n, "rpcap0")
		var c net.PacketConn
		n.Must(func() (err error) { c, err = net.ListenPacket("udp", "10.5.0.1:9"); return err })
		defer c.Close()
		tap := run(t, n, k)
		f := k.Attach(sink.Source{LinkType: 1})
		f.Frame(packet(broadcast()))
		if !r.sees(broadcast()) {
			t.Error("the reader does not see the frame")
		}
		wait := 300 * time.Millisecond // for what must not come
		if noGuard {
			wait = patience
		}
		_ = c.SetReadDeadline(time.Now().Add(wait))
		_, _, err := c.ReadFrom(make([]byte, 100))
		if taken := err == nil; taken != noGuard {
			t.Errorf("no guard %v: taken in by the machine: %v", noGuard, taken)
		}
		if on := k.Status().Details[2].Text == "on"; on == noGuard {
			t.Errorf("no guard %v: status says guard %v", noGuard, on)
		}
		if !noGuard {
			quiet(t, n, r)
		}
		tap.cancel()
		if err := tap.ends(t); err != nil {
			t.Error(err)
		}
	}
}

// quiet makes the machine send on the interface; no reader may see it.
func quiet(t *testing.T, n *netlab.Namespace, r *reader) {
	t.Helper()
	n.Must(func() error {
		i, err := net.InterfaceByName("rpcap0")
		if err != nil {
			return err
		}
		if addrs, err := i.Addrs(); err != nil || len(addrs) > 0 {
			t.Errorf("addresses %v, %v", addrs, err)
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Sendto(fd, ether(60), 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return err
		}
		return nil
	})
	for b := r.next(); b != nil; b = r.next() {
		t.Errorf("the machine sent %x", b)
	}
}

// TestRootDeleted: an interface deleted under way ends Run with an error that asks for another try, which makes it anew.
func TestRootDeleted(t *testing.T) {
	n := host(t)
	k := open(t, n, Options{Interface: "rpcap0"})
	tap := run(t, n, k)
	f := k.Attach(sink.Source{LinkType: 1})
	untilReading(t, k)
	n.Delete("rpcap0")
	err := tap.ends(t)
	if !errors.Is(err, sink.ErrTryAgain) || !strings.Contains(err.Error(), "rpcap0") || !strings.Contains(err.Error(), "deleted") {
		t.Fatalf("Run says %v", err)
	}
	f.Frame(packet(ether(60)))
	if c := f.Counters(); c.Dropped != 1 || c.Written != 0 {
		t.Errorf("counters %+v while there is no interface", c)
	}
	tap = run(t, n, k)
	for end := time.Now().Add(patience); k.Status().State != sink.Running; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("status %+v", k.Status())
		}
	}
	r := read(t, n, "rpcap0")
	f.Frame(packet(ether(60)))
	if got := r.next(); !bytes.Equal(got, ether(60)) {
		t.Errorf("got %x", got)
	}
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
}

// TestRootDown: frames for an interface that is down are counted, and flow again when it is up.
func TestRootDown(t *testing.T) {
	n := host(t)
	core, logs := observer.New(zap.WarnLevel)
	k := open(t, n, Options{Interface: "rpcap0", Log: zap.New(core)})
	tap := run(t, n, k)
	f := k.Attach(sink.Source{LinkType: 1})
	n.Down("rpcap0")
	for range 3 {
		f.Frame(packet(ether(60)))
	}
	await(t, k, func() bool { return f.Counters().Dropped == 3 })
	await(t, k, func() bool { return k.Status().State == sink.Degraded }) // it is counted first
	if st := k.Status(); !strings.Contains(st.Error, "ip link set rpcap0 up") {
		t.Errorf("status %+v", st)
	}
	n.Up("rpcap0")
	r := read(t, n, "rpcap0")
	f.Frame(packet(ether(60)))
	if got := r.next(); !bytes.Equal(got, ether(60)) {
		t.Errorf("got %x", got)
	}
	await(t, k, func() bool { return k.Status().State == sink.Running })
	if c := f.Counters(); c.Written != 1 || c.Dropped != 3 || c.Bytes != 60 {
		t.Errorf("counters %+v", c)
	}
	if logs.Len() != 1 {
		t.Errorf("logged %d times: %v", logs.Len(), logs.All())
	}
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
}

// untilReading waits until a sink waits for what the kernel sends. Go refuses to begin a read of a device that is
// already deleted, and does not say why.
func untilReading(t *testing.T, k *Sink) {
	t.Helper()
	await(t, k, func() bool {
		stacks := make([]byte, 1<<20)
		for one := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(one, "[IO wait") && strings.Contains(one, ".drain(") {
				return true
			}
		}
		return false
	})
}

func await(t *testing.T, k *Sink, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time; status %+v", k.Status())
		}
	}
}

// powerless runs f on a thread without any capability.
func powerless(n *netlab.Namespace, f func() error) error {
	return n.Do(func() error {
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&h, &none[0]); err != nil {
			return err
		}
		return f()
	})
}

// TestRootCapability: without CAP_NET_ADMIN the error names the cures, and the second of them works.
func TestRootCapability(t *testing.T) {
	n := host(t)
	k, err := New(Options{Interface: "rpcap0"})
	if err != nil {
		t.Fatal(err)
	}
	err = powerless(n, k.Open)
	if !errors.Is(err, os.ErrPermission) {
		t.Fatalf("Open without a capability: %v", err)
	}
	for _, want := range []string{"make TAP interface rpcap0", "AmbientCapabilities=CAP_NET_ADMIN", "ip tuntap add mode tap user", "name rpcap0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	n.Must(func() error { // ip tuntap add mode tap user … name rpcap0
		file, err := attach("rpcap0")
		if err != nil {
			return err
		}
		defer file.Close()
		fd := int(file.Fd())
		return errors.Join(unix.IoctlSetInt(fd, unix.TUNSETOWNER, os.Getuid()), unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1))
	})
	err = powerless(n, k.Open)
	if err == nil || !strings.Contains(err.Error(), "ip link set rpcap0 up") {
		t.Errorf("Open of an interface that is down: %v", err)
	}
	n.Up("rpcap0")
	if err := powerless(n, k.Open); err != nil {
		t.Fatal(err)
	}
	r := read(t, n, "rpcap0")
	tap := run(t, n, k)
	f := k.Attach(sink.Source{LinkType: 1})
	f.Frame(packet(ether(60)))
	if !r.sees(ether(60)) {
		t.Error("the reader does not see the frame")
	}
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
	if n.Link("rpcap0") == nil {
		t.Error("the interface that was there before is gone")
	}
}

// TestRootRefused: names that are taken.
func TestRootRefused(t *testing.T) {
	n := host(t)
	k := open(t, n, Options{Interface: "rpcap0", MTU: 9000, Persist: true})
	if mtu := n.Link("rpcap0").Attrs().MTU; mtu != 9000 {
		t.Errorf("MTU %d", mtu)
	}
	for name, want := range map[string]string{"rpcap0": "another program has it open", "lo": "not a TAP interface"} {
		other, err := New(Options{Interface: name})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Do(other.Open); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if n.Link("rpcap0") == nil {
		t.Error("an interface that was to stay is gone")
	}
	k = open(t, n, Options{Interface: "rpcap0"})
	if err := k.Close(); err != nil || n.Link("rpcap0").Attrs().MTU != 9000 {
		t.Errorf("opened again: %v, %+v", err, n.Link("rpcap0").Attrs())
	}
	open(t, n, Options{Interface: "rpcap1"})
	if mtu := n.Link("rpcap1").Attrs().MTU; mtu != MaxMTU {
		t.Errorf("MTU %d of an interface that was made", mtu)
	}
}

// TestRootMoved: an interface that was moved to a namespace of its own is still written to.
func TestRootMoved(t *testing.T) {
	n := host(t)
	ids := netlab.New(t).Namespace("ids")
	ids.Sysctl("ipv6/conf/default/disable_ipv6", "1")
	k := open(t, n, Options{Interface: "rpcap0", MTU: 1500})
	tap := run(t, n, k)
	f := k.Attach(sink.Source{LinkType: 1})
	ids.Must(func() error {
		there, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer there.Close()
		return n.Do(func() error { return netlink.LinkSetNsFd(n.Link("rpcap0"), int(there.Fd())) })
	})
	f.Frame(packet(ether(60))) // it is down after the move
	await(t, k, func() bool { return k.Status().State == sink.Degraded })
	ids.Up("rpcap0")
	r := read(t, ids, "rpcap0")
	for _, size := range []int{60, 9000} {
		f.Frame(packet(ether(size)))
		if got := r.next(); !bytes.Equal(got, ether(size)) {
			t.Errorf("frame of %d bytes: got %d", size, len(got))
		}
	}
	for b := r.next(); b != nil; b = r.next() {
		t.Errorf("the machine sent %x", b)
	}
	await(t, k, func() bool { return k.Status().State == sink.Running })
	tap.cancel()
	if err := tap.ends(t); err != nil {
		t.Error(err)
	}
}

// BenchmarkRootWrite is the cost of a frame on an interface without a reader.
func BenchmarkRootWrite(b *testing.B) {
	n := host(b)
	k := open(b, n, Options{})
	d := k.ready
	for _, size := range []int{64, 512, 1514, 65_000} {
		frame := ether(size)
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := d.write(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
