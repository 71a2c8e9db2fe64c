package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
	"rpcapd/test/ports"
)

// hasOffload tells from the kernel itself, not through the code under test, whether it has UDP_SEGMENT and UDP_GRO.
func hasOffload(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_, segment := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	_, gro := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO)
	return segment == nil && gro == nil
}

// The whole way through the kernel with offload on and off at each end. With it on, it must engage.
func TestOffloadEngages(t *testing.T) {
	if !hasOffload(t) {
		netlab.Missing(t, "kernel without UDP_SEGMENT or UDP_GRO")
	}
	const size, perRun, runs = 1472, 44, 30
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		for _, gso := range []Mode{Auto, On, Off} {
			for _, gro := range []Mode{Auto, On, Off} {
				t.Run(fmt.Sprintf("%v/gso %v gro %v", addr.Addr(), gso, gro), func(t *testing.T) {
					r := listen(t, addr, ListenOptions{GRO: gro})
					s := dial(t, r.LocalAddr(), Options{GSO: gso, DontFragment: true})
					if on, _ := s.GSO(); on != (gso != Off) || r.GRO() != (gro != Off) {
						t.Fatalf("GSO %v, GRO %v", on, r.GRO())
					}
					var got, want [][]byte
					for i := range runs {
						run := pattern(perRun*size-i, i) // the last one is shorter
						want = append(want, cut(run, size)...)
						if done, err := s.Send(run, size, maxWait); err != nil || done != perRun {
							t.Fatal(done, err)
						}
						d, _ := collect(t, r, perRun)
						got = append(got, d...)
					}
					equalDatagrams(t, got, want)
					c, rc := s.Counters(), r.Counters()
					if wantSends := uint64(runs); c.Sends != wantSends || c.Downgrades != 0 || c.SuperPackets != wantSends*b2u(gso != Off) {
						t.Errorf("sends: %+v", c)
					}
					joined := float64(rc.Datagrams) / float64(rc.Messages)
					switch {
					case gso != Off && gro != Off && joined < perRun:
						t.Errorf("receive offload has not engaged: %.1f datagrams a message", joined)
					case gro == Off && joined != 1:
						t.Errorf("%.1f datagrams a message without receive offload", joined)
					}
					if r.KernelDrops() != 0 {
						t.Errorf("%d dropped", r.KernelDrops())
					}
				})
			}
		}
	}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// A downgrade in mid-stream on the real socket: what a script refuses goes out through the kernel another way.
func TestDowngradeInMidStream(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.EINVAL, unix.EMSGSIZE} {
		r := listen(t, loopback4, ListenOptions{})
		s := dial(t, r.LocalAddr(), dontFragment)
		real, n := s.call.sendmsg, 0
		s.call.sendmsg = func(fd int, m *unix.Msghdr) unix.Errno {
			if n++; n > 3 && m.Controllen > 0 {
				return errno
			}
			return real(fd, m)
		}
		for i := range 10 {
			run := pattern(40*1472+i, i)
			if _, err := s.Send(run, 1472, maxWait); err != nil {
				t.Fatal(err)
			}
			d, _ := collect(t, r, 41-b2i(i == 0))
			equalDatagrams(t, d, cut(run, 1472))
		}
		if on, why := s.GSO(); on || !errors.Is(why, errno) || s.Counters().SuperPackets != 3 {
			t.Errorf("%v: on %v, %v, %+v", errno, on, why, s.Counters())
		}
	}
}

func b2i(b bool) int { return int(b2u(b)) }

func TestPortClosed(t *testing.T) {
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		for _, gso := range []Mode{Auto, Off} {
			to := netip.AddrPortFrom(addr.Addr(), uint16(ports.Free(t)))
			s := dial(t, to, Options{GSO: gso, DontFragment: true})
			sends := 0
			refused := func() bool { c := s.Counters(); return c.ICMPErrors+c.PartialSends > 0 }
			for limit := time.Now().Add(waitLimit); sends < 20 || !refused() && time.Now().Before(limit); sends++ {
				if done, err := s.Send(run10, 1472, maxWait); done != 10 || err != nil {
					t.Fatal(sends, done, err)
				}
			}
			c := s.Counters()
			if !refused() {
				t.Errorf("%v, %v: no ICMP error seen: %+v", addr, gso, c)
			}
			if c.Dropped() != 0 {
				t.Errorf("%v, %v: %+v", addr, gso, c)
			}
			checkAccounts(t, s, 10*sends, 0)

			again := listen(t, to, ListenOptions{}) // the sensor is back
			if _, err := s.Send(run10, 1472, maxWait); err != nil {
				t.Fatal(err)
			}
			d, _ := collect(t, again, 10)
			equalDatagrams(t, d, cut(run10, 1472))
		}
	}
}

// What does not fit the receive buffer is counted, also what is lost after the last datagram that arrives.
func TestKernelDrops(t *testing.T) {
	for _, gro := range []Mode{Auto, Off} {
		r := listen(t, loopback4, ListenOptions{ReceiveBuffer: 20000, GRO: gro})
		s := dial(t, r.LocalAddr(), Options{GSO: gro, DontFragment: true})
		arrived, sent := 0, 0
		for range 20 {
			for range 5 {
				if _, err := s.Send(run10, 1472, maxWait); err != nil {
					t.Fatal(err)
				}
				sent += 10
			}
			n, err := r.Receive(time.Now().Add(waitLimit))
			if err != nil {
				t.Fatal(err)
			}
			arrived += n
		}
		eventually(t, func() bool {
			n, _ := r.Receive(time.Now().Add(10 * time.Millisecond))
			arrived += n
			return n == 0 && (arrived+int(r.KernelDrops()) == sent || gro != Off)
		})
		drops := int(r.KernelDrops())
		if drops == 0 || arrived+drops > sent || arrived+drops != sent && gro == Off { // with GRO a drop may be many
			t.Errorf("GRO %v: %d sent, %d arrived, %d dropped", gro, sent, arrived, drops)
		}
		r.Close()
		if int(r.KernelDrops()) != drops {
			t.Error("drops forgotten by Close")
		}
	}
}

// Sending and receiving allocate nothing, with offload and without.
func TestNoAllocations(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	run := pattern(44*1472, 1)
	many := cut(run, 1000)
	for _, gso := range []Mode{Auto, Off} {
		s := dial(t, r.LocalAddr(), Options{GSO: gso, DontFragment: true})
		check := func(what string, n int, f func() (int, error)) {
			t.Helper()
			if a := testing.AllocsPerRun(50, func() {
				if done, err := f(); done != n || err != nil {
					t.Fatal(done, err)
				}
				for got := 0; got < n; {
					k, err := r.Receive(time.Time{})
					if err != nil {
						t.Fatal(err)
					}
					for i := range k {
						if src, b := r.Datagram(i); src.Port() != s.LocalAddr().Port() || len(b) == 0 {
							t.Fatal(src, len(b))
						}
					}
					got += k
				}
			}); a != 0 {
				t.Errorf("%s, GSO %v: %v allocations", what, gso, a)
			}
		}
		check("Send", 44, func() (int, error) { return s.Send(run, 1472, maxWait) })
		check("Send of one", 1, func() (int, error) { return s.Send(run[:100], 1472, maxWait) })
		check("SendMany", len(many), func() (int, error) { return s.SendMany(many, maxWait) })
	}
}

// A control buffer that the kernel would never write must not be read beyond its end.
func FuzzControl(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 104, 0, 0, 0, 0xc0, 5, 0, 0}, 24)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		var c controlBuffer
		for i, v := range b[:min(len(b), 64)] {
			c[i/8] |= uint64(v) << (8 * (i % 8))
		}
		r := c.parse(max(0, n))
		if n >= 0 && n < unix.CmsgLen(4) && r != (control{}) {
			t.Errorf("%+v from %d bytes", r, n)
		}
	})
}

func TestControl(t *testing.T) {
	put := func(c *controlBuffer, at int, level, typ int32, length int, v uint64) int {
		w := at / 8
		c[w], c[w+1], c[w+2] = uint64(length), uint64(uint32(level))|uint64(uint32(typ))<<32, v
		return at + unix.CmsgSpace(4)
	}
	if unix.CmsgSpace(4) != 24 {
		t.Skip("laid out for 64-bit little-endian machines")
	}
	var c controlBuffer
	n := put(&c, 0, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 20, 0xfffffffe)
	n = put(&c, n, unix.IPPROTO_UDP, unix.UDP_GRO, 20, 1472)
	if r := c.parse(n); r != (control{segment: 1472, drops: 0xfffffffe, hasDrops: true}) {
		t.Errorf("%+v", r)
	}
	if r := c.parse(24); r.segment != 0 || !r.hasDrops {
		t.Errorf("%+v", r)
	}
	put(&c, 0, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1<<30, 1)
	if r := c.parse(n); r != (control{}) {
		t.Errorf("%+v", r)
	}
}

// A datagram from a link-local address has the zone that package net gives it too.
func TestZone(t *testing.T) {
	r := listen(t, loopback6, ListenOptions{})
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		netlab.Missing(t, err.Error())
	}
	if z := r.zone(uint32(lo.Index)); z != "lo" {
		t.Error(z)
	}
	if z := r.zone(4_000_000); z != "4000000" {
		t.Error(z)
	}
	if i, err := zoneIndex("lo"); int(i) != lo.Index || err != nil {
		t.Error(i, err)
	}
	if i, err := zoneIndex("12"); i != 12 || err != nil {
		t.Error(i, err)
	}
}

// Without CAP_NET_ADMIN the buffers are what the system's limits grant.
func TestRootBuffersWithoutNetAdmin(t *testing.T) {
	netlab.Require(t)
	type sizes struct{ send, receive int }
	const asked = 512 << 20 // beyond any limit that a system has set
	open := func() (z sizes) {
		r, err := Listen(loopback4, ListenOptions{ReceiveBuffer: asked})
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		s, err := Dial(r.LocalAddr(), Options{SendBuffer: asked})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		want, granted := r.ReceiveBuffer()
		if want != asked {
			t.Errorf("asked for %d", want)
		}
		return sizes{s.SendBuffer(), granted}
	}
	if forced := open(); forced != (sizes{2 * asked, asked}) {
		t.Logf("cannot force buffers here, so both ways give what the limits grant: %+v", forced)
	}
	result := make(chan sizes)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and its capabilities with it
		defer close(result)
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData
		sets[0].Effective = 1 << unix.CAP_NET_RAW
		sets[0].Permitted = sets[0].Effective
		if err := unix.Capset(&header, &sets[0]); err != nil {
			t.Error(err)
			return
		}
		result <- open()
	}()
	limited := <-result
	if limited.send >= 2*asked || limited.receive >= asked || limited.send < 65536 || limited.receive < 65536 {
		t.Errorf("%+v", limited)
	}
}
