package udpsock

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// These tests hold for every implementation.

func TestSendAndReceive(t *testing.T) {
	for _, listenAt := range []netip.AddrPort{loopback4, loopback6, netip.MustParseAddrPort("[::]:0")} {
		for _, size := range []int{1, 64, 1436, 1472, 8972, 65507} {
			t.Run(fmt.Sprintf("%v/%d", listenAt.Addr(), size), func(t *testing.T) {
				r := listen(t, listenAt, ListenOptions{})
				to := r.LocalAddr()
				if to.Addr().IsUnspecified() {
					to = netip.AddrPortFrom(loopback4.Addr(), to.Port()) // as an IPv4 peer of a socket for both
				}
				s := dial(t, to, Options{DontFragment: size < 60000})
				run := pattern(min(size*70, 200_000)+size/2, size)
				want := cut(run, size)
				done, err := s.Send(run, size, maxWait)
				if err != nil || done != len(want) {
					t.Fatal(done, err)
				}
				got, from := collect(t, r, len(want))
				equalDatagrams(t, got, want)
				for _, f := range from {
					if f != s.LocalAddr() {
						t.Fatalf("source %v, want %v", f, s.LocalAddr())
					}
				}
				checkAccounts(t, s, len(want), 0)
				if c := s.Counters(); c.Bytes != uint64(len(run)) || c.Runs != 1 {
					t.Errorf("%+v", c)
				}
				if c := r.Counters(); c.Bytes != uint64(len(run)) || c.Datagrams != uint64(len(want)) || c.Truncated != 0 {
					t.Errorf("%+v", c)
				}
			})
		}
	}
}

func TestSendMany(t *testing.T) {
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		r := listen(t, addr, ListenOptions{})
		s := dial(t, r.LocalAddr(), Options{})
		var want [][]byte
		for i := range 150 {
			want = append(want, pattern(i*17%3000, i))
		}
		if done, err := s.SendMany(want, maxWait); err != nil || done != len(want) {
			t.Fatal(done, err)
		}
		got, _ := collect(t, r, len(want))
		equalDatagrams(t, got, want)
		checkAccounts(t, s, len(want), 0)
	}
}

func TestSendEmpty(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	s := dial(t, r.LocalAddr(), Options{})
	if done, err := s.Send(nil, 100, 0); done != 0 || err != nil {
		t.Error(done, err)
	}
	if done, err := s.SendMany(nil, 0); done != 0 || err != nil {
		t.Error(done, err)
	}
	for _, size := range []int{0, -1} {
		if _, err := s.Send([]byte("x"), size, 0); err == nil {
			t.Errorf("size %d taken", size)
		}
	}
}

func TestMaxDatagramOfLoopback(t *testing.T) {
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		r := listen(t, addr, ListenOptions{})
		s := dial(t, r.LocalAddr(), Options{DontFragment: true})
		if n := s.MaxDatagram(); n < 1452 || n > MaxRunBytes {
			t.Errorf("%v: %d", addr, n)
		}
	}
}

func TestLocalAddress(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	local := netip.MustParseAddr("127.0.0.1")
	s := dial(t, r.LocalAddr(), Options{Local: local})
	if s.LocalAddr().Addr() != local || s.LocalAddr().Port() == 0 || s.RemoteAddr() != r.LocalAddr() {
		t.Errorf("%v to %v", s.LocalAddr(), s.RemoteAddr())
	}
}

func TestDialRefuses(t *testing.T) {
	for _, remote := range []netip.AddrPort{{}, netip.MustParseAddrPort("[fe80::1%nosuchinterface]:9")} {
		s, err := Dial(remote, Options{})
		var op *net.OpError
		if !errors.As(err, &op) {
			t.Errorf("dial %v: %v, %v", remote, s, err)
		}
	}
	if _, err := Dial(netip.MustParseAddrPort("127.0.0.1:9"), Options{Local: netip.MustParseAddr("192.0.2.1")}); err == nil {
		t.Error("bound to an address that is not ours")
	}
}

func TestListenRefuses(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	if _, err := Listen(r.LocalAddr(), ListenOptions{}); err == nil {
		t.Error("bound the same port twice")
	}
	for _, n := range []int{-1, maxMessages + 1} {
		if _, err := Listen(loopback4, ListenOptions{Messages: n}); err == nil {
			t.Errorf("%d messages taken", n)
		}
	}
}

func TestClosedSender(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	s := dial(t, r.LocalAddr(), Options{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Send([]byte("x"), 1, 0); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := s.SendMany([][]byte{{1}}, 0); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if s.MaxDatagram() != 1472 {
		t.Error(s.MaxDatagram())
	}
	s.Counters()
}

func TestReceiveDeadline(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	for range 2 {
		if n, err := r.Receive(time.Now().Add(5 * time.Millisecond)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(n, err)
		}
	}
	s := dial(t, r.LocalAddr(), Options{})
	if _, err := s.Send([]byte("after"), 10, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Receive(time.Time{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, b := r.Datagram(0); !bytes.Equal(b, []byte("after")) {
		t.Errorf("%q", b)
	}
}

func TestCloseWakesReceive(t *testing.T) {
	r := listen(t, loopback4, ListenOptions{})
	var wg sync.WaitGroup
	failed := make(chan error, 1)
	wg.Go(func() {
		_, err := r.Receive(time.Time{})
		failed <- err
	})
	time.Sleep(time.Millisecond) // likely it waits by now; the test holds when it does not
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := r.Receive(time.Now().Add(time.Second)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	wg.Wait()
	r.KernelDrops()
}

func TestMode(t *testing.T) {
	for _, m := range []Mode{Auto, On, Off} {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	for _, s := range []string{"", "ON", "true"} {
		if _, err := ParseMode(s); err == nil {
			t.Errorf("%q taken", s)
		}
	}
}

func TestTooLongError(t *testing.T) {
	err := fmt.Errorf("forward: %w", &TooLongError{Size: 1472, Max: 1372})
	var e *TooLongError
	if !errors.Is(err, ErrMessageTooLong) || !errors.As(err, &e) || e.Max != 1372 {
		t.Error(err)
	}
}

// The kernel counts in 32 bits, and what travels with a message may be older than what was asked for.
func TestDropSum(t *testing.T) {
	var d dropSum
	for _, step := range []struct {
		reading uint32
		want    uint64
	}{
		{0, 0}, {7, 7}, {5, 7}, {7, 7}, {1 << 30, 1 << 30}, {2 << 30, 2 << 30}, {3 << 30, 3 << 30}, {0xffffffff, 0xffffffff}, {3, 1<<32 + 3},
		{0xfffffff0, 1<<32 + 3}, {4, 1<<32 + 4},
	} {
		if d.reading(step.reading); d.total() != step.want {
			t.Fatalf("after %#x: %d, want %d", step.reading, d.total(), step.want)
		}
	}
}

func TestBatch(t *testing.T) {
	b := newBatch(3)
	a := netip.MustParseAddrPort("192.0.2.1:1")
	c := netip.MustParseAddrPort("192.0.2.2:2")
	copy(b.slot(0), "aaabbbc")
	copy(b.slot(2), "xyz")
	b.add(0, a, 7, 3)
	b.add(1, a, 0, 5) // empty
	b.add(2, c, 3, 3)
	want := []string{"aaa", "bbb", "c", "", "xyz"}
	if len(b.datagrams) != len(want) {
		t.Fatal(b.datagrams)
	}
	for i, w := range want {
		src, d := b.datagram(i)
		if string(d) != w || (i < 4) != (src == a) || cap(d) != len(d) {
			t.Errorf("%d: %q from %v", i, d, src)
		}
	}
	if b.reset(); len(b.datagrams) != 0 {
		t.Error("not empty")
	}
}
