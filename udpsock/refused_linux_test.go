package udpsock

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// A firewall that takes super-packets only costs nothing: their datagrams go one by one,
// and after three runs nobody asks it any more.
func TestSuperPacketsRefused(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EACCES} {
		refused := answer{errno: errno}
		s, k := scripted(t, dontFragment, refused, answer{}, refused, answer{}, answer{}, refused, answer{}, refused, answer{}, refused)
		for i, stillOn := range []bool{true, true, true /* taken */, true, true, false} {
			mustSend(t, s, k, run10, 1472)
			if on, why := s.GSO(); on != stillOn || on == errors.Is(why, errno) {
				t.Fatalf("run %d: on %v, %v", i, on, why)
			}
		}
		if c := s.Counters(); c.Downgrades != 5 || c.Refusals != 5 || c.ICMPErrors != 0 || c.Dropped() != 0 || s.Refused() != 0 {
			t.Errorf("%+v", c)
		}
		k.calls = nil
		mustSend(t, s, k, run10, 1472)
		wantCalls(t, k, each10)
	}
}

// While everything is refused, one datagram a second is tried; what is dropped has its errno.
func TestEverythingRefused(t *testing.T) {
	s, k := scripted(t, dontFragment, always(unix.EPERM, 2)...)
	send := func() {
		t.Helper()
		if done, err := s.Send(run10, 1472, maxWait); done != 10 || err != nil {
			t.Fatal(done, err)
		}
	}
	send()
	wantCalls(t, k, super10, each10)
	alone := call{datagrams: 1}
	for second := range 5 {
		for range 100 {
			send()
		}
		wantCalls(t, k) // none
		if s.Refused() != unix.EPERM {
			t.Fatal(s.Refused())
		}
		k.now = k.now.Add(refusedPause)
		k.answers = always(unix.EPERM, 1)
		send()
		wantCalls(t, k, alone)
		checkAccounts(t, s, (second+1)*1010+10, 0)
	}
	if on, why := s.GSO(); !on {
		t.Errorf("offload has nothing to do with it: %v", why)
	}
	k.now = k.now.Add(refusedPause)
	mustSend(t, s, k, run10, 1472)
	wantCalls(t, k, alone, call{datagrams: 9, super: true})
	if want := []Drop{{unix.EPERM, 5060}}; !slices.Equal(s.Drops(), want) || s.Refused() != 0 || s.DropReasons() != 1 {
		t.Errorf("%v, want %v; refused %v", s.Drops(), want, s.Refused())
	}
	send()
	wantCalls(t, k, super10)
}

// A firewall that takes some datagrams only, with a limit of its own say, stops no others.
func TestSomeRefused(t *testing.T) {
	for _, many := range []bool{false, true} {
		s, k := scripted(t, Options{DontFragment: true, GSO: Off}, append(always(unix.EPERM, refusedInRow-1), answer{messages: 1}, answer{errno: unix.EPERM})...)
		var done int
		var err error
		if many {
			done, err = s.SendMany(cut(run10, 1472), maxWait)
		} else {
			done, err = s.Send(run10, 1472, maxWait)
		}
		want := cut(run10, 1472)
		if done != 10 || err != nil {
			t.Fatal(done, err)
		}
		equalDatagrams(t, k.taken, append(want[7:8:8], want[9:]...))
		if s.Refused() != 0 || s.Counters().DroppedOther != refusedInRow {
			t.Errorf("%v, %+v", s.Refused(), s.Counters())
		}
		checkAccounts(t, s, 10, 0)
	}
}

// As many as that in a row are all.
func TestAllRefusedWithoutOffload(t *testing.T) {
	s, k := scripted(t, Options{GSO: Off}, always(unix.EPERM, refusedInRow)...)
	for range 2 {
		if done, err := s.SendMany(cut(run10, 1472), maxWait); done != 10 || err != nil {
			t.Fatal(done, err)
		}
	}
	if len(k.calls) != refusedInRow || s.Refused() != unix.EPERM {
		t.Errorf("%d calls, %v", len(k.calls), s.Refused())
	}
	checkAccounts(t, s, 20, 0)
	k.now = k.now.Add(refusedPause)
	if done, err := s.SendMany(cut(run10, 1472), maxWait); done != 10 || err != nil || len(k.taken) != 10 {
		t.Fatal(done, err, len(k.taken))
	}
	if last := k.calls[len(k.calls)-2:]; last[0].datagrams != 1 || last[1].datagrams != 9 {
		t.Errorf("%+v", last)
	}
}

// EACCES may be a pending ICMP error over IPv6, which eats one send: what it ate is sent again.
func TestPendingEACCES(t *testing.T) {
	s, k := scripted(t, Options{GSO: Off}, always(unix.EACCES, 1)...)
	mustSend(t, s, k, run10, 1472)
	checkAccounts(t, s, 10, 0)
	mustSend(t, s, k, pattern(100, 1), 1472)
}

// More reasons than there is room for: none is lost.
func TestDropReasonsOverflow(t *testing.T) {
	s, _ := scripted(t, dontFragment)
	for i := range errnoKinds + 10 {
		s.dropped(&s.counters.droppedOther, unix.Errno(i+1), 1)
	}
	if len(s.Drops()) != errnoKinds {
		t.Errorf("%d reasons", len(s.Drops()))
	}
	checkReasons(t, s)
}

// TestRootFirewall asks a real firewall on the way out.
func TestRootFirewall(t *testing.T) {
	lab := netlab.New(t)
	n := lab.Namespace("host")
	rules := func(rule string) {
		t.Helper()
		err := n.NFT("flush ruleset; table inet f { counter seen { }; chain out { type filter hook output priority 0; udp dport 5999 counter name seen " + rule + "; }; }")
		if errors.Is(err, netlab.ErrNoNFT) {
			netlab.Missing(t, err.Error())
		}
		if err != nil {
			netlab.Missing(t, "this kernel has no nftables: "+err.Error())
		}
	}
	rules("meta length > 1500 drop")
	n.Must(func() error {
		r := listen(t, netip.MustParseAddrPort("127.0.0.1:5999"), ListenOptions{})
		s := dial(t, r.LocalAddr(), dontFragment)
		if on, _ := s.GSO(); !on {
			netlab.Missing(t, "the kernel has no segmentation offload")
		}
		run := pattern(10*1400, 1)
		for range 5 {
			if done, err := s.Send(run, 1400, maxWait); done != 10 || err != nil {
				return fmt.Errorf("%d, %w", done, err)
			}
			got, _ := collect(t, r, 10)
			equalDatagrams(t, got, cut(run, 1400))
		}
		if on, why := s.GSO(); on || !errors.Is(why, unix.EPERM) {
			t.Errorf("offload %v, %v", on, why)
		}
		checkAccounts(t, s, 50, 0)
		return nil
	})
	rules("drop")
	n.Must(func() error {
		s := dial(t, netip.MustParseAddrPort("127.0.0.1:5999"), dontFragment)
		run := pattern(10*1400, 1)
		const runs = 600
		now := time.Now()
		s.call.now = func() time.Time { return now }
		for range runs { // in one pause and a half
			if done, err := s.Send(run, 1400, maxWait); done != 10 || err != nil {
				return fmt.Errorf("%d, %w", done, err)
			}
			now = now.Add(refusedPause * 3 / 2 / runs)
		}
		c := s.Counters()
		if c.Refusals < 3 || c.Refusals > 4 || c.DroppedOther != uint64(10*runs) {
			t.Errorf("%d runs, %d tries, %d datagrams dropped", runs, c.Refusals, c.DroppedOther)
		}
		checkAccounts(t, s, 10*runs, 0)
		if !strings.Contains(s.Refused().Error(), "not permitted") {
			t.Errorf("refused: %v", s.Refused())
		}
		return nil
	})
}
