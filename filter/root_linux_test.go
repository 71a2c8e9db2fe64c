package filter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// packetSocket opens a packet socket on an interface, with a filter or without.
func packetSocket(t *testing.T, n *netlab.Namespace, name string, attach func(fd int) error) (fd int) {
	t.Helper()
	index := n.Link(name).Attrs().Index
	n.Must(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	t.Cleanup(func() { unix.Close(fd) })
	if attach != nil {
		must(t, "attach filter", attach(fd))
	}
	allProtocols := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}) // in network order
	must(t, "bind to "+name, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: index}))
	must(t, "set time-out", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}))
	return fd
}

// TestRootOwnTrafficOnWire sends every kind of frame over a veth pair to a packet
// socket with the composed filter: on arrival the kernel takes the outer tag out
// of the bytes before it filters, on departure it does not. No own frame may come
// out, of the others all.
func TestRootOwnTrafficOnWire(t *testing.T) {
	lab := netlab.New(t)
	a, b := lab.Namespace("a"), lab.Namespace("b")
	lab.Veth(a, "eth0", b, "eth0")
	p, err := Compose(linkEthernet, testExclusion(), acceptAll(), 0)
	must(t, "compose", err)
	attach := func(fd int) error {
		k := kernelSocket{receive: fd}
		return k.attach(p.Kernel)
	}
	arriving := packetSocket(t, b, "eth0", attach)
	leaving := packetSocket(t, a, "eth0", attach)
	sender := packetSocket(t, a, "eth0", nil)

	last := append(packet{src: other4, dst: other4, proto: 17}.ethernet(), "the last frame"...)
	var want [][]byte // from the network header on: the tag may be out of the bytes
	for _, tags := range [][]uint16{nil, {typeTag}, {typeTagS}, {typeTagS, typeTag}} {
		for _, c := range ownCases {
			if c.fragments {
				continue
			}
			c.p.tags = tags
			frame := c.p.ethernet()
			_, err := unix.Write(sender, frame)
			must(t, "send "+c.name, err)
			// On departure only one tag is looked behind.
			if !c.own {
				want = append(want, c.p.ip())
			} else if len(tags) == 2 {
				want = append(want, nil)
			}
		}
	}
	_, err = unix.Write(sender, last)
	must(t, "send the last frame", err)

	arrived := receiveUntil(t, arriving, last)
	left := receiveUntil(t, leaving, last)
	exact := slices.DeleteFunc(slices.Clone(want), func(b []byte) bool { return b == nil })
	check := func(what string, got, want [][]byte) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%s: %d frames, want %d", what, len(got), len(want))
			return
		}
		for n := range want {
			if want[n] != nil && !bytes.HasSuffix(got[n], want[n]) {
				t.Errorf("%s: frame %d is %x, want the end %x", what, n, got[n], want[n])
			}
		}
	}
	check("arriving", arrived, exact)
	check("leaving", left, want)
}

// receiveUntil returns the test's frames up to the last one.
func receiveUntil(t *testing.T, fd int, last []byte) [][]byte {
	t.Helper()
	source := last[6:12]
	var got [][]byte
	buf := make([]byte, 4096)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		must(t, "receive", err)
		switch {
		case bytes.Equal(buf[:n], last):
			return got
		case n >= 14 && bytes.Equal(buf[6:12], source):
			got = append(got, slices.Clone(buf[:n]))
		}
	}
	t.Fatal("the last frame did not come")
	return nil
}
