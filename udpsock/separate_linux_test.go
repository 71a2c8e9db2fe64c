package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// from sends n datagrams from a local address to a port.
func from(t *testing.T, source string, to netip.AddrPort, n int) {
	t.Helper()
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(source)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range n {
		if _, err := fmt.Fprint(c, source, " ", i); err != nil {
			t.Fatal(err)
		}
	}
}

// sources counts what has come by the address it came from: the datagrams that are expected, and what else comes soon.
func sources(t *testing.T, r *Receiver, expected int) map[string]int {
	t.Helper()
	got, all := make(map[string]int), 0
	for {
		wait := waitLimit
		if all >= expected {
			wait = 50 * time.Millisecond
		}
		n, err := r.Receive(time.Now().Add(wait))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			src, _ := r.Datagram(i)
			got[src.Addr().String()]++
		}
		all += n
	}
}

func addrs(list ...string) (out []netip.Addr) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// TestSeparate: only what comes from the addresses named last is received; the rest is counted, to the datagram, even if
// it is far more than the buffer holds.
func TestSeparate(t *testing.T) {
	for _, at := range []string{"127.0.0.1", "::"} {
		t.Run(at, func(t *testing.T) {
			r, err := Listen(netip.AddrPortFrom(netip.MustParseAddr(at), 0), ListenOptions{ReceiveBuffer: 64 << 10})
			if err != nil {
				netlab.Missing(t, err.Error())
			}
			defer r.Close()
			v4, v6 := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.Port()), netip.AddrPortFrom(netip.MustParseAddr("::1"), r.Port())
			both := at == "::"
			send := func(n int) {
				for _, source := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
					from(t, source, v4, n)
				}
				if both {
					from(t, "::1", v6, n)
				}
			}
			const flood = 20_000
			for i, x := range []struct {
				expected []netip.Addr
				want     string
				refused  int // of four sources
			}{
				{addrs("127.0.0.1", "::1"), "map[127.0.0.1:10 ::1:10]", 2},
				{addrs("127.0.0.2", "127.0.0.3", "2001:db8::1"), "map[127.0.0.2:10 127.0.0.3:10]", 2},
				{nil, "map[]", 4},
			} {
				if err := r.Separate(x.expected); err != nil {
					t.Fatal(err)
				}
				before := r.Strangers()
				send(10)
				want, refused := x.want, x.refused
				if !both {
					if want == "map[127.0.0.1:10 ::1:10]" {
						want = "map[127.0.0.1:10]"
					} else {
						refused--
					}
				}
				got := fmt.Sprint(sources(t, r, 10*strings.Count(want, ":10")))
				if !eventually(t, func() bool { return r.Strangers()-before >= uint64(10*refused) }) || got != want || r.Strangers()-before != uint64(10*refused) {
					t.Errorf("%d: received %s, want %s; refused %d, want %d", i, got, want, r.Strangers()-before, 10*refused)
				}
			}
			before := r.Strangers()
			if err := r.Separate(addrs("127.0.0.1")); err != nil {
				t.Fatal(err)
			}
			from(t, "127.0.0.2", v4, flood)
			from(t, "127.0.0.1", v4, 5)
			from(t, "127.0.0.2", v4, flood)
			got := fmt.Sprint(sources(t, r, 5))
			eventually(t, func() bool { return r.Strangers()-before >= 2*flood })
			if got != "map[127.0.0.1:5]" || r.Strangers()-before != 2*flood || r.KernelDrops() != 0 {
				t.Errorf("flood: received %s, refused %d, dropped %d", got, r.Strangers()-before, r.KernelDrops())
			}
			if _, err := Listen(r.LocalAddr(), ListenOptions{}); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("the port can be bound a second time: %v", err)
			}
		})
	}
}

// TestSeparateTooMany: then everything is received.
func TestSeparateTooMany(t *testing.T) {
	r, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	many := make([]netip.Addr, 5000)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
	}
	if err := r.Separate(many[:200]); err != nil {
		t.Errorf("200 addresses: %v", err)
	}
	if err := r.Separate(many); err == nil {
		t.Error("5,000 addresses are taken")
	}
	from(t, "127.0.0.9", r.LocalAddr(), 3)
	if got := fmt.Sprint(sources(t, r, 3)); got != "map[127.0.0.9:3]" {
		t.Errorf("received %s", got)
	}
}

// TestSeparateKeepsOffload: the second socket must not cost the first its offload.
func TestSeparateKeepsOffload(t *testing.T) {
	r, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Separate(addrs("127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	s, err := Dial(r.LocalAddr(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if on, _ := s.GSO(); !r.GRO() || !on {
		netlab.Missing(t, "no offload here")
	}
	if _, err := s.Send(make([]byte, 40*1000), 1000, time.Second); err != nil {
		t.Fatal(err)
	}
	if got := sources(t, r, 40); got["127.0.0.1"] != 40 {
		t.Errorf("received %v", got)
	}
	if c := r.Counters(); c.Messages > 2 {
		t.Errorf("%d messages for %d datagrams: they did not come joined", c.Messages, c.Datagrams)
	}
}

// TestStrangersSuperPackets: what a stranger sends with segmentation offload is counted by datagrams, and who it is is known.
func TestStrangersSuperPackets(t *testing.T) {
	r, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Separate(addrs("127.0.0.9")); err != nil {
		netlab.Missing(t, err.Error())
	}
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.Port())
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP("127.0.0.3")}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var offload error
	if err := raw.Control(func(fd uintptr) { offload = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, 1000) }); err != nil || offload != nil {
		netlab.Missing(t, fmt.Sprint("no segmentation offload: ", err, offload))
	}
	sent := uint64(0)
	for i := range 200 {
		if _, err := c.Write(make([]byte, 39_500)); err != nil { // 40 datagrams
			t.Fatal(err)
		}
		if sent += 40; i == 0 || i == 199 { // few are counted exactly; of many that nobody looked at, the average is taken
			if !eventually(t, func() bool { return r.Strangers() >= sent }) || r.Strangers() != sent {
				t.Errorf("%d datagrams counted of %d", r.Strangers(), sent)
			}
		}
	}
	if a := r.Stranger(); a != netip.MustParseAddr("127.0.0.3") {
		t.Errorf("stranger %v", a)
	}
}

// TestStrangersOfDays: the estimate of a flood that has lasted for days is not wrapped.
func TestStrangersOfDays(t *testing.T) {
	s := sample{messages: 1 << 26, datagrams: 1 << 32}
	if n, want := s.total(1<<37), uint64(1<<32+1<<43); n != want {
		t.Errorf("%d, want %d", n, want)
	}
	if n := s.total(0); n != 1<<32 {
		t.Errorf("%d without drops", n)
	}
}

// TestStrangerIsForgotten: a stranger is named while it sends, and some minutes longer; it is no cause of what goes wrong
// an hour later.
func TestStrangerIsForgotten(t *testing.T) {
	r, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Separate(addrs("127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	from(t, "127.0.0.2", r.LocalAddr(), 1)
	if !eventually(t, func() bool { return r.Stranger().String() == "127.0.0.2" }) {
		t.Fatalf("%s, want 127.0.0.2", r.Stranger())
	}
	r.strangers.sample.at = r.strangers.sample.at.Add(-strangerLasts - time.Second)
	if got := r.Stranger(); got.IsValid() {
		t.Errorf("%s is still named after %v", got, strangerLasts)
	}
	from(t, "127.0.0.3", r.LocalAddr(), 1)
	if !eventually(t, func() bool { return r.Stranger().String() == "127.0.0.3" }) || r.Strangers() != 2 {
		t.Errorf("%s, %d datagrams, want 127.0.0.3, 2", r.Stranger(), r.Strangers())
	}
}
