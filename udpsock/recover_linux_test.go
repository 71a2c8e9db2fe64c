package udpsock

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var dontFragment = Options{DontFragment: true}

// mustSend sends a run and checks that the kernel has taken all of it, in order.
func mustSend(t *testing.T, s *Sender, k *script, run []byte, size int) {
	t.Helper()
	k.taken = nil
	want := cut(run, size)
	if done, err := s.Send(run, size, maxWait); err != nil || done != len(want) {
		t.Fatalf("done %d of %d, %v", done, len(want), err)
	}
	equalDatagrams(t, k.taken, want)
}

func wantCalls(t *testing.T, k *script, want ...call) {
	t.Helper()
	if !slices.Equal(k.calls, want) {
		t.Fatalf("calls\n%+v, want\n%+v", k.calls, want)
	}
	k.calls = nil
}

var (
	super10 = call{datagrams: 10, super: true}
	each10  = call{datagrams: 10, each: true}
	run10   = pattern(9*1472+100, 1) // nine datagrams and a shorter one
)

func TestSuperPacketLimits(t *testing.T) {
	s, k := scripted(t, dontFragment)
	mustSend(t, s, k, pattern(130*100+7, 1), 100)
	wantCalls(t, k, call{datagrams: 64, super: true}, call{datagrams: 64, super: true}, call{datagrams: 3, super: true})
	mustSend(t, s, k, pattern(45*1472, 2), 1472) // 44 are 64,768 bytes
	wantCalls(t, k, call{datagrams: 44, super: true}, call{datagrams: 1})
	mustSend(t, s, k, pattern(1472, 3), 1472)
	mustSend(t, s, k, pattern(10, 3), 1472)
	wantCalls(t, k, call{datagrams: 1}, call{datagrams: 1})
	c := s.Counters()
	if c.SuperPackets != 4 || c.Sends != 7 || c.Runs != 4 || c.Datagrams != 131+45+2 || c.Bytes != 13007+45*1472+1482 {
		t.Errorf("%+v", c)
	}
}

func TestOffloadOff(t *testing.T) {
	s, k := scripted(t, Options{DontFragment: true, GSO: Off})
	if on, why := s.GSO(); on || why != nil {
		t.Error(on, why)
	}
	mustSend(t, s, k, pattern(130*100+7, 1), 100)
	wantCalls(t, k, call{datagrams: 64, each: true}, call{datagrams: 64, each: true}, call{datagrams: 3, each: true})
}

func TestEIO(t *testing.T) {
	s, k := scripted(t, dontFragment, answer{}, answer{errno: unix.EIO})
	mustSend(t, s, k, run10, 1472)
	mustSend(t, s, k, run10, 1472)
	if on, why := s.GSO(); on || !errors.Is(why, unix.EIO) {
		t.Error(on, why)
	}
	mustSend(t, s, k, run10, 1472)
	wantCalls(t, k, super10, super10, each10, each10)
	if c := s.Counters(); c.Downgrades != 1 || c.Dropped() != 0 {
		t.Errorf("%+v", c)
	}
}

// EIO in the middle of a long run: nothing is sent twice.
func TestEIOWithinRun(t *testing.T) {
	s, k := scripted(t, dontFragment, answer{}, answer{errno: unix.EIO})
	mustSend(t, s, k, pattern(100*100, 1), 100)
	wantCalls(t, k, call{datagrams: 64, super: true}, call{datagrams: 36, super: true}, call{datagrams: 36, each: true})
	checkAccounts(t, s, 100, 0)
}

func TestEINVALOnce(t *testing.T) {
	s, k := scripted(t, dontFragment, answer{errno: unix.EINVAL})
	mustSend(t, s, k, run10, 1472)
	mustSend(t, s, k, run10, 1472)
	wantCalls(t, k, super10, each10, super10)
	if on, _ := s.GSO(); !on || s.Counters().Downgrades != 1 {
		t.Error(on, s.Counters())
	}
}

func TestEINVALAgainAndAgain(t *testing.T) {
	refused := answer{errno: unix.EINVAL}
	s, k := scripted(t, dontFragment, refused, answer{}, refused, answer{}, answer{}, refused, answer{}, refused, answer{}, refused)
	for i, stillOn := range []bool{true, true, true /* taken */, true, true, false} {
		mustSend(t, s, k, run10, 1472)
		if on, why := s.GSO(); on != stillOn || (on == (why != nil)) {
			t.Fatalf("run %d: on %v, %v", i, on, why)
		}
	}
	if c := s.Counters(); c.Downgrades != 5 || c.Datagrams != 60 {
		t.Errorf("%+v", c)
	}
}

func TestPathShrinks(t *testing.T) {
	// Kernels before 6.14 say EINVAL for datagrams of a super-packet that are too long for the path.
	for _, errno := range []unix.Errno{unix.EMSGSIZE, unix.EINVAL} {
		s, k := scripted(t, dontFragment, answer{}, answer{errno: errno, shrinkTo: 900})
		run := pattern(100*1000, 1)
		done, err := s.Send(run, 1000, maxWait)
		var e *TooLongError
		if done != 64 || !errors.As(err, &e) || e.Size != 1000 || e.Max != 872 {
			t.Fatal(done, err)
		}
		checkAccounts(t, s, 100, 36)
		if done, err := s.Send(run[done*1000:], e.Max, maxWait); err != nil || done != 42 {
			t.Fatal(done, err)
		}
		equalDatagrams(t, k.taken, append(cut(run[:64000], 1000), cut(run[64000:], 872)...))
		if on, _ := s.GSO(); !on || s.Counters().Shrinks != 1 || s.Counters().Downgrades != 0 || s.MaxDatagram() != 872 {
			t.Errorf("GSO %v, %+v", on, s.Counters())
		}
	}
}

func TestPathShrinksWithoutOffload(t *testing.T) {
	s, k := scripted(t, Options{DontFragment: true, GSO: Off}, answer{messages: 4}, answer{errno: unix.EMSGSIZE, shrinkTo: 1280})
	done, err := s.Send(run10, 1472, maxWait)
	var e *TooLongError
	if done != 4 || !errors.As(err, &e) || e.Max != 1252 || len(k.taken) != 4 {
		t.Fatal(done, err)
	}
	k.answers = []answer{{errno: unix.EMSGSIZE}}
	done, err = s.SendMany([][]byte{pattern(1400, 1)}, maxWait)
	if done != 0 || !errors.As(err, &e) || e.Size != 1400 {
		t.Fatal(done, err)
	}
}

// A pending error about other, longer datagrams.
func TestPathShrinksButNotBelowUs(t *testing.T) {
	s, k := scripted(t, dontFragment, answer{errno: unix.EMSGSIZE, shrinkTo: 1400})
	mustSend(t, s, k, pattern(10*1300, 1), 1300)
	wantCalls(t, k, super10, super10)
	if s.Counters().Downgrades != 0 || s.Counters().Shrinks != 0 {
		t.Errorf("%+v", s.Counters())
	}
}

func TestSuperPacketsHalved(t *testing.T) {
	tooLong := answer{errno: unix.EMSGSIZE}
	s, k := scripted(t, dontFragment, tooLong, tooLong, tooLong)
	run := pattern(64*100, 1)
	mustSend(t, s, k, run, 100)
	wantCalls(t, k, call{datagrams: 64, super: true}, call{datagrams: 64, super: true}, call{datagrams: 32, super: true},
		call{datagrams: 16, super: true}, call{datagrams: 16, super: true}, call{datagrams: 16, super: true}, call{datagrams: 16, super: true})
	if on, _ := s.GSO(); !on || s.Counters().Downgrades != 2 {
		t.Error(on, s.Counters())
	}

	k.answers = always(unix.EMSGSIZE, 1+4) // 16, 8, 4, 2
	mustSend(t, s, k, run, 100)
	if on, why := s.GSO(); on || !errors.Is(why, unix.EMSGSIZE) {
		t.Error(on, why)
	}
}

func TestDatagramNeverFits(t *testing.T) {
	s, k := scripted(t, Options{}, append([]answer{{messages: 1}}, always(unix.EMSGSIZE, 2)...)...)
	d := [][]byte{{1}, pattern(70000, 1), {3}}
	if done, err := s.SendMany(d, maxWait); done != 3 || err != nil {
		t.Fatal(done, err)
	}
	equalDatagrams(t, k.taken, [][]byte{{1}, {3}})
	if s.Counters().DroppedTooLong != 1 {
		t.Errorf("%+v", s.Counters())
	}
}

// Datagrams that may be fragmented go out even when the path shrinks below them, without offload.
func TestPathShrinksWithFragmentation(t *testing.T) {
	s, k := scripted(t, Options{}, answer{errno: unix.EMSGSIZE, shrinkTo: 600})
	mustSend(t, s, k, run10, 1472)
	mustSend(t, s, k, run10, 1472)
	mustSend(t, s, k, pattern(10*500, 1), 500)
	wantCalls(t, k, super10, each10, each10, super10)
	checkAccounts(t, s, 30, 0)
}

func TestPartialSends(t *testing.T) {
	s, k := scripted(t, Options{GSO: Off}, answer{messages: 1}, answer{messages: 5}, answer{errno: unix.EINTR})
	mustSend(t, s, k, run10, 1472)
	wantCalls(t, k, each10, call{datagrams: 9, each: true}, call{datagrams: 4, each: true}, call{datagrams: 4, each: true})
	if c := s.Counters(); c.PartialSends != 2 || c.Datagrams != 10 || c.Bytes != uint64(len(run10)) {
		t.Errorf("%+v", c)
	}

	k.taken, k.answers = nil, []answer{{messages: 63}, {messages: 2}}
	var many [][]byte
	for i := range 100 {
		many = append(many, pattern(i, i))
	}
	if done, err := s.SendMany(many, maxWait); done != 100 || err != nil {
		t.Fatal(done, err)
	}
	equalDatagrams(t, k.taken, many)
}

func TestBufferFullForAWhile(t *testing.T) {
	for _, o := range []Options{{DontFragment: true}, {GSO: Off}} {
		s, k := scripted(t, o, always(unix.EAGAIN, 3)...)
		k.idle = 300 * time.Microsecond
		mustSend(t, s, k, run10, 1472)
		want := []pollCall{{unix.POLLOUT, maxWait}, {unix.POLLOUT, maxWait - k.idle}, {unix.POLLOUT, maxWait - 2*k.idle}}
		if !slices.Equal(k.polls, want) {
			t.Error(k.polls)
		}
		if c := s.Counters(); c.FullWaits != 3 || c.Dropped() != 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestBufferStaysFull(t *testing.T) {
	for _, wait := range []time.Duration{0, 500 * time.Microsecond, time.Hour} {
		s, k := scripted(t, dontFragment, append([]answer{{}}, always(unix.EAGAIN, 100)...)...)
		begin := k.now
		done, err := s.Send(pattern(100*1000, 1), 1000, wait)
		if done != 100 || err != nil {
			t.Fatal(done, err)
		}
		if took := k.now.Sub(begin); took != min(wait, maxWait) {
			t.Errorf("waited %v of %v", took, wait)
		}
		c := s.Counters()
		if len(k.taken) != 64 || c.DroppedFull != 36 || (wait == 0) != (c.FullWaits == 0) {
			t.Errorf("%+v", c)
		}
		k.answers, k.taken = nil, nil // and then there is room
		mustSend(t, s, k, run10, 1472)
		checkAccounts(t, s, 110, 0)
	}
}

// No event tells the end of a shortage of memory: no events are polled for, and not at full speed.
func TestOutOfMemory(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOBUFS, unix.ENOMEM} {
		s, k := scripted(t, dontFragment, always(errno, 2)...)
		mustSend(t, s, k, run10, 1472)
		if !slices.Equal(k.polls, []pollCall{{0, memoryPause}, {0, memoryPause}}) || s.Counters().MemoryWaits != 2 {
			t.Error(k.polls, s.Counters())
		}
		k.answers, k.polls = always(errno, 100), nil
		if done, err := s.Send(run10, 1472, time.Millisecond); done != 10 || err != nil || len(k.polls) != 5 {
			t.Error(done, err, k.polls)
		}
		checkAccounts(t, s, 20, 0)
	}
}

func TestPendingICMPErrors(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EPROTO, unix.EHOSTDOWN, unix.ENETDOWN} {
		for _, o := range []Options{{DontFragment: true}, {GSO: Off}} {
			s, k := scripted(t, o, always(errno, 2)...)
			mustSend(t, s, k, run10, 1472)
			if c := s.Counters(); c.ICMPErrors != 2 || c.Dropped() != 0 {
				t.Errorf("%v: %+v", errno, c)
			}
			k.answers = always(errno, 4)
			if done, err := s.Send(run10, 1472, 0); done != 10 || err != nil {
				t.Errorf("%v: %d, %v", errno, done, err)
			}
			if c := s.Counters(); c.DroppedUnreachable != 10 || len(k.answers) != 0 {
				t.Errorf("%v: %+v", errno, c)
			}
			if want := []SendError{{errno, s.Counters().ICMPErrors}}; !slices.Equal(s.Errors(), want) || s.ErrorKinds() != 1 {
				t.Errorf("errors %v, want %v", s.Errors(), want)
			}
			mustSend(t, s, k, run10, 1472)
			checkAccounts(t, s, 30, 0)
		}
	}
}

func TestUnknownError(t *testing.T) {
	s, k := scripted(t, dontFragment, answer{}, answer{errno: unix.EFAULT})
	done, err := s.Send(pattern(100*100, 1), 100, 0)
	var sys *os.SyscallError
	if done != 100 || !errors.Is(err, unix.EFAULT) || !errors.As(err, &sys) || s.Counters().DroppedOther != 36 {
		t.Errorf("%d, %v, %+v", done, err, s.Counters())
	}
	mustSend(t, s, k, run10, 1472)
	k.answers = []answer{{errno: unix.EIO}}
	if _, err := s.SendMany([][]byte{{1}}, 0); !errors.Is(err, unix.EIO) { // EIO has nothing to do with offload here
		t.Error(err)
	}
}
