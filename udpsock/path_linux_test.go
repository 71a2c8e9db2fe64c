package udpsock

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

//	agent eth0 ------------ left router right ------------ eth0 sensor
//	10.1.0.1, fd01::1     10.1.0.2, fd01::2
//	                                 10.2.0.2, fd02::2    10.2.0.1, fd02::1
//
// path is that network with a Sender at the agent and a Receiver at the sensor.
type path struct {
	agent, router, sensor *netlab.Namespace
	s                     *Sender
	r                     *Receiver
}

func newPath(t *testing.T, sensor string, o Options, lo ListenOptions) *path {
	t.Helper()
	lab := netlab.New(t)
	p := &path{agent: lab.Namespace("agent"), router: lab.Namespace("router"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{p.agent, p.router, p.sensor} {
		n.Sysctl("ipv6/conf/default/accept_dad", "0") // link-local addresses, which neighbours are asked from, are usable at once
	}
	lab.Veth(p.agent, "eth0", p.router, "left")
	lab.Veth(p.router, "right", p.sensor, "eth0")
	p.router.Sysctl("ipv4/ip_forward", "1")
	p.router.Sysctl("ipv6/conf/all/forwarding", "1")
	for _, a := range []struct {
		n          *netlab.Namespace
		name, cidr string
	}{
		{p.agent, "eth0", "10.1.0.1/24"}, {p.router, "left", "10.1.0.2/24"}, {p.router, "right", "10.2.0.2/24"}, {p.sensor, "eth0", "10.2.0.1/24"},
		{p.agent, "eth0", "fd01::1/64"}, {p.router, "left", "fd01::2/64"}, {p.router, "right", "fd02::2/64"}, {p.sensor, "eth0", "fd02::1/64"},
	} {
		a.n.AddAddr(a.name, a.cidr)
	}
	p.agent.AddRoute("10.2.0.0/24", "10.1.0.2")
	p.agent.AddRoute("fd02::/64", "fd01::2")
	p.sensor.AddRoute("10.1.0.0/24", "10.2.0.2")
	p.sensor.AddRoute("fd01::/64", "fd02::2")

	addr := netip.MustParseAddr(sensor)
	p.sensor.Must(func() (err error) {
		p.r, err = Listen(netip.AddrPortFrom(addr, 0), lo)
		return err
	})
	t.Cleanup(func() { p.r.Close() })
	p.agent.Must(func() (err error) {
		p.s, err = Dial(p.r.LocalAddr(), o)
		return err
	})
	t.Cleanup(func() { p.s.Close() })
	p.through(t, 100) // neighbours are found
	return p
}

// through sends ten datagrams of that size and checks that they arrive.
func (p *path) through(t *testing.T, size int) {
	t.Helper()
	run := pattern(10*size, size)
	if done, err := p.s.Send(run, size, maxWait); done != 10 || err != nil {
		t.Fatal(done, err)
	}
	got, _ := collect(t, p.r, 10)
	equalDatagrams(t, got, cut(run, size))
}

// A router behind the first link has a smaller MTU from some moment on and says so by ICMP.
func TestRootPathShrinks(t *testing.T) {
	for _, c := range []struct {
		sensor           string
		before, mtu, max int
	}{{"10.2.0.1", 1472, 1400, 1372}, {"fd02::1", 1452, 1300, 1252}} {
		for _, gso := range []Mode{Auto, Off} {
			p := newPath(t, c.sensor, Options{GSO: gso, DontFragment: true}, ListenOptions{})
			if n := p.s.MaxDatagram(); n != c.before {
				t.Fatalf("%s: largest datagram %d, want %d", c.sensor, n, c.before)
			}
			p.through(t, c.before)
			p.router.SetMTU("right", c.mtu)

			// What was on its way when the path shrank is lost; then Send says so.
			var e *TooLongError
			run := pattern(20*c.before, 3)
			var done int
			for limit := time.Now().Add(waitLimit); time.Now().Before(limit); {
				n, err := p.s.Send(run, c.before, maxWait)
				if err != nil {
					if !errors.As(err, &e) {
						t.Fatal(err)
					}
					done = n
					break
				}
				time.Sleep(time.Millisecond) // the ICMP message is on its way
			}
			if e == nil || e.Max != c.max || e.Size != c.before || p.s.MaxDatagram() != c.max {
				t.Fatalf("%s, GSO %v: %v, largest %d", c.sensor, gso, e, p.s.MaxDatagram())
			}
			rest := run[done*c.before:]
			if _, err := p.s.Send(rest, e.Max, maxWait); err != nil {
				t.Fatal(err)
			}
			want := cut(rest, e.Max)
			got, _ := collect(t, p.r, len(want))
			equalDatagrams(t, got, want)
			p.through(t, c.max)
			if on, why := p.s.GSO(); on != (gso != Off) || p.s.Counters().Dropped() != 0 || p.s.Counters().Downgrades != 0 {
				t.Errorf("%s: GSO %v, %v, %+v", c.sensor, on, why, p.s.Counters())
			}
			if gso != Off && p.r.Counters().Messages*5 > p.r.Counters().Datagrams {
				t.Errorf("receive offload has not engaged: %+v", p.r.Counters())
			}
		}
	}
}

// The first link shrinks: no ICMP, the kernel refuses the next send.
func TestRootLinkShrinks(t *testing.T) {
	p := newPath(t, "10.2.0.1", dontFragment, ListenOptions{})
	p.agent.SetMTU("eth0", 1300)
	done, err := p.s.Send(pattern(10*1472, 1), 1472, maxWait)
	var e *TooLongError
	if done != 0 || !errors.As(err, &e) || e.Max != 1272 {
		t.Fatal(done, err)
	}
	p.through(t, e.Max)
	p.agent.SetMTU("eth0", 1500)
	if n := p.s.MaxDatagram(); n != 1472 {
		t.Errorf("%d after the link has grown again", n)
	}
	p.through(t, 1472)
}

func TestRootFragments(t *testing.T) {
	for _, sensor := range []string{"10.2.0.1", "fd02::1"} {
		p := newPath(t, sensor, Options{}, ListenOptions{})
		many := [][]byte{pattern(100, 1), pattern(9000, 2), pattern(65479, 3), pattern(10, 4)}
		if done, err := p.s.SendMany(many, maxWait); done != 4 || err != nil {
			t.Fatal(done, err)
		}
		got, _ := collect(t, p.r, 4)
		// Fragments are put together in the end: the small ones may overtake.
		for _, w := range many {
			found := false
			for _, g := range got {
				found = found || bytes.Equal(g, w)
			}
			if !found {
				t.Errorf("%s: datagram of %d bytes has not arrived", sensor, len(w))
			}
		}
		p.through(t, 4000)
		p.router.SetMTU("right", 1300)
		if p.s.ipv6() { // routers do not fragment IPv6: the first ones are lost, then this end does it
			if _, err := p.s.Send(pattern(2*1400, 1), 1400, maxWait); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(waitLimit); p.s.MaxDatagram() != 1252 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
		}
		p.through(t, 1400)
		p.through(t, 1472)
	}
}

// The link goes down and comes back: nothing is fatal and all is counted.
func TestRootLinkDown(t *testing.T) {
	p := newPath(t, "10.2.0.1", dontFragment, ListenOptions{})
	p.agent.Down("eth0")
	for range 3 {
		if done, err := p.s.Send(run10, 1472, maxWait); done != 10 || err != nil {
			t.Fatal(done, err)
		}
	}
	if c := p.s.Counters(); c.DroppedUnreachable != 30 || c.ICMPErrors == 0 {
		t.Errorf("%+v", c)
	}
	p.agent.Up("eth0")
	for _, end := range []struct {
		n    *netlab.Namespace
		name string
	}{{p.agent, "eth0"}, {p.router, "left"}} {
		if !eventually(t, func() bool { return end.n.Link(end.name).Attrs().OperState == netlink.OperUp }) {
			t.Fatalf("%s has no carrier", end.name)
		}
	}
	p.agent.AddRoute("10.2.0.0/24", "10.1.0.2")
	p.through(t, 1472)
	checkAccounts(t, p.s, 50, 0)
}

// A way out that is slower than what is sent: the send buffer fills, waits are bounded, what finds no room is dropped and counted,
// and what is counted as sent arrives in order.
func TestRootSendBufferFull(t *testing.T) {
	if harness.Race {
		t.Skip("the sender has to be faster than the path, and with the race detector it is not")
	}
	for _, gso := range []Mode{Auto, Off} {
		p := newPath(t, "10.2.0.1", Options{GSO: gso, DontFragment: true, SendBuffer: 100_000}, ListenOptions{})
		err := p.agent.Do(func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			return netlink.QdiscReplace(&netlink.Tbf{
				QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
				Rate:       1_000_000, // bytes per second: slow also beside a sender that waits for its turn
				Limit:      10_000_000,
				Buffer:     150_000,
			})
		})
		if err != nil {
			netlab.Missing(t, "no slow link: "+err.Error())
		}
		const size, perRun, runs = 1472, 40, 40
		slow := 0
		for i := range runs {
			run := make([]byte, 0, perRun*size)
			for j := range perRun {
				d := pattern(size, 0)
				d[0], d[1] = byte(i), byte(j)
				run = append(run, d...)
			}
			begin := time.Now()
			if done, err := p.s.Send(run, size, maxWait); done != perRun || err != nil {
				t.Fatal(done, err)
			}
			if time.Since(begin) > 50*time.Millisecond { // maxWait, and what a busy machine adds
				slow++
			}
		}
		c := p.s.Counters()
		if c.FullWaits == 0 || c.DroppedFull == 0 {
			t.Errorf("GSO %v: the buffer was never full: %+v", gso, c)
		}
		if slow > runs/2 { // the median: a machine that is very busy lets a thread wait for longer, but not most times
			t.Errorf("%d of %d sends took too long", slow, runs)
		}
		checkAccounts(t, p.s, 10+perRun*runs, 0)
		got, _ := collect(t, p.r, int(c.Datagrams)-10)
		if len(got) != int(c.Datagrams)-10 || p.r.KernelDrops() != 0 {
			t.Fatalf("%d arrived of %d", len(got), c.Datagrams-10)
		}
		last := -1
		for _, d := range got {
			at := int(d[0])*perRun + int(d[1])
			if at <= last || !bytes.Equal(d[2:], pattern(size, 0)[2:]) {
				t.Fatalf("datagram %d after %d, or other bytes", at, last)
			}
			last = at
		}
	}
}

// Between link-local addresses: the zone leads the way out, and the source has it.
func TestRootLinkLocal(t *testing.T) {
	p := newPath(t, "fd02::1", dontFragment, ListenOptions{})
	p.agent.AddAddr("eth0", "fe80::a/64")
	p.router.AddAddr("left", "fe80::b/64")
	var r *Receiver
	var s *Sender
	p.router.Must(func() (err error) {
		r, err = Listen(netip.MustParseAddrPort("[fe80::b%left]:0"), ListenOptions{})
		return err
	})
	defer r.Close()
	p.agent.Must(func() (err error) {
		to := netip.AddrPortFrom(r.LocalAddr().Addr().WithZone("eth0"), r.Port())
		if s, err = Dial(to, Options{DontFragment: true, Local: netip.MustParseAddr("fe80::a%eth0")}); err != nil {
			return err
		}
		_, err = s.Send(run10, 1452, maxWait)
		return err
	})
	defer s.Close()
	if s.LocalAddr().Addr() != netip.MustParseAddr("fe80::a%eth0") {
		t.Errorf("from %v", s.LocalAddr())
	}
	p.router.Must(func() error {
		d, from := collect(t, r, 10)
		equalDatagrams(t, d, cut(run10, 1452))
		if want := netip.AddrPortFrom(netip.MustParseAddr("fe80::a%left"), s.LocalAddr().Port()); from[0] != want {
			t.Errorf("source %v, want %v", from[0], want)
		}
		return nil
	})
}
