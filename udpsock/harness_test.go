package udpsock

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"
)

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
)

func listen(t testing.TB, addr netip.AddrPort, o ListenOptions) *Receiver {
	t.Helper()
	r, err := Listen(addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func dial(t testing.TB, to netip.AddrPort, o Options) *Sender {
	t.Helper()
	s, err := Dial(to, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// pattern returns n bytes that repeat only after 251 times 256 bytes and depend on seed.
func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((i+seed*7)%251) ^ byte(i>>8)
	}
	return b
}

// cut returns the datagrams of a run.
func cut(run []byte, size int) (d [][]byte) {
	for len(run) > 0 {
		n := min(size, len(run))
		d = append(d, run[:n])
		run = run[n:]
	}
	return d
}

// waitLimit bounds every wait for what should come soon; none is expected to come near it.
const waitLimit = 40 * time.Second

// eventually waits for what the kernel may do a moment later: on a busy machine, it hands datagrams over by a thread of its own.
func eventually(t testing.TB, ok func() bool) bool {
	t.Helper()
	for limit := time.Now().Add(waitLimit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			return false
		}
	}
	return true
}

// collect receives n datagrams, or as many as come within the limit.
func collect(t testing.TB, r *Receiver, n int) (d [][]byte, from []netip.AddrPort) {
	t.Helper()
	deadline := time.Now().Add(waitLimit)
	for len(d) < n {
		k, err := r.Receive(deadline)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return d, from
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range k {
			src, b := r.Datagram(i)
			d = append(d, bytes.Clone(b))
			from = append(from, src)
		}
	}
	return d, from
}

// equalDatagrams checks that got is want, in order and byte for byte.
func equalDatagrams(t testing.TB, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d datagrams, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("datagram %d of %d: %d bytes, want %d; or other bytes", i, len(got), len(got[i]), len(want[i]))
		}
	}
}

// checkAccounts checks that each of the datagrams handed over is in one counter, but for those given back.
func checkAccounts(t testing.TB, s *Sender, handed, back int) {
	t.Helper()
	c := s.Counters()
	if c.Datagrams+c.Dropped()+uint64(back) != uint64(handed) {
		t.Errorf("%d datagrams handed over, %d given back, %d sent, %d dropped: %+v", handed, back, c.Datagrams, c.Dropped(), c)
	}
	checkReasons(t, s)
}

// checkReasons checks that each dropped datagram has a reason.
func checkReasons(t testing.TB, s *Sender) {
	t.Helper()
	var n uint64
	for _, d := range s.Drops() {
		n += d.Datagrams
		if d.Errno == 0 || d.Datagrams == 0 {
			t.Errorf("%d datagrams dropped because of errno %d", d.Datagrams, d.Errno)
		}
	}
	if n != s.Counters().Dropped() {
		t.Errorf("%d datagrams dropped, %d of them with a reason: %v", s.Counters().Dropped(), n, s.Drops())
	}
}
