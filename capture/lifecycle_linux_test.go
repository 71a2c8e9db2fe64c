package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"rpcapd/filter"
)

func TestRootNoFrameBeforeTheFilter(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	in := newInjector(t, "a")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // the socket is in the namespace, the thread need not be
		defer close(stopped)
		f := testFrame(60, 0)
		for {
			select {
			case <-stop:
				return
			default:
				in.try(f)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 20 {
		s := mustOpen(t, Options{Interface: "b", Filter: onlyType(0x88b6), RingBytes: 1 << 20})
		silent(t, s, 20*time.Millisecond)
		if st := checkSum(t, s); st.Received != 0 {
			t.Fatalf("%d stray frames", st.Received)
		}
		s.Close()
	}
}

// recorder collects events as "interface down", ….
type recorder struct{ kinds []EventKind }

func (r *recorder) add(e Event) { r.kinds = append(r.kinds, e.Kind) }

// expect calls Next until the events are there, and none else.
func (r *recorder) expect(t *testing.T, s Source, want ...EventKind) {
	t.Helper()
	for limit := time.Now().Add(waitLimit); len(r.kinds) < len(want) && time.Now().Before(limit); {
		if _, err := s.Next(within(50 * time.Millisecond)); err != os.ErrDeadlineExceeded {
			t.Fatalf("Next: %v", err)
		}
	}
	if !slices.Equal(r.kinds, want) {
		t.Fatalf("events %v, want %v", r.kinds, want)
	}
	r.kinds = nil
}

func TestRootInterfaceDownAndUp(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var events recorder
	s := mustOpen(t, Options{Interface: "b", OnEvent: events.add})
	in := newInjector(t, "a")
	in.send(testFrame(60, 1))
	receive(t, s, 1)
	for seq := range uint32(2) {
		if err := netlink.LinkSetDown(linkOf(t, "b")); err != nil {
			t.Fatal(err)
		}
		events.expect(t, s, InterfaceDown)
		setUp(t, "b")
		events.expect(t, s, InterfaceUp)
		in.send(testFrame(60, seq))
		if got := receive(t, s, 1); !bytes.Equal(got[0].data, testFrame(60, seq)) {
			t.Fatal("another frame")
		}
	}
	checkSum(t, s)
}

// TestRootInterfaceDownWhileReading: the poller tells of it once, when nobody waits. A Next without a deadline finds it all the same.
func TestRootInterfaceDownWhileReading(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var events recorder
	var s *ringSource
	s = mustOpen(t, Options{Interface: "b", OnEvent: func(e Event) { events.add(e); s.Wake() }})
	newInjector(t, "a").send(testFrame(60, 1))
	if _, err := s.Next(within(waitLimit)); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetDown(linkOf(t, "b")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // now the poller knows
	defer time.AfterFunc(20*time.Second, s.Wake).Stop()
	if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded {
		t.Fatal(err)
	}
	if len(events.kinds) == 0 || events.kinds[0] != InterfaceDown {
		t.Fatalf("events: %v", events.kinds)
	}
}

// deleteVeth removes the pair and makes it again.
func deleteVeth(t *testing.T) {
	t.Helper()
	if err := netlink.LinkDel(linkOf(t, "a")); err != nil {
		t.Fatal(err)
	}
}

func TestRootInterfaceDeletedAndBack(t *testing.T) {
	t.Parallel()
	for _, grouped := range []bool{false, true} {
		t.Run(fmt.Sprint("fanout=", grouped), func(t *testing.T) {
			newNamespace(t)
			newVeth(t, "a", "b", 1500)
			var events recorder
			o := Options{Interface: "b", OnEvent: events.add, Promiscuous: true, Filter: onlyType(0x88b5)}
			if grouped {
				o.Fanout = new(Fanout)
			}
			s := mustOpen(t, o)
			in := newInjector(t, "a")
			in.send(testFrame(60, 1))
			deleteVeth(t) // the frame is still in an open block
			if got := receive(t, s, 1); !bytes.Equal(got[0].data, testFrame(60, 1)) {
				t.Fatal("another frame")
			}
			events.expect(t, s, InterfaceDown, InterfaceDeleted)

			// Another link type of the same name is not taken.
			other := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "b"}, Mode: netlink.TUNTAP_MODE_TUN, Queues: 1}
			if netlink.LinkAdd(other) == nil {
				setUp(t, "b")
				silent(t, s, 600*time.Millisecond)
				events.expect(t, s)
				netlink.LinkDel(other)
				other.Fds[0].Close()
			}

			newVeth(t, "a", "b", 1500)
			events.expect(t, s, InterfaceBack)
			if n := linkOf(t, "b").Attrs().Promisc; n != 1 {
				t.Errorf("promiscuity %d", n)
			}
			in = newInjector(t, "a")
			for i := range uint32(10) {
				in.send(testFrame(60, 2+i), tagged(testFrame(60, 2+i), 0x8100, 3))
				foreign := testFrame(60, 99)
				foreign[13]++
				in.send(foreign)
			}
			for i, g := range receive(t, s, 20) {
				want := testFrame(60, uint32(2+i/2))
				if i%2 == 1 {
					want = tagged(want, 0x8100, 3)
				}
				if !bytes.Equal(g.data, want) {
					t.Fatalf("frame %d differs", i)
				}
			}
			if st := checkSum(t, s); st.Received != 21 {
				t.Errorf("%+v", st)
			}
			if err := s.SetFilter(onlyType(0x88b6)); err != nil {
				t.Error(err)
			}
			events.expect(t, s)
		})
	}
}

func TestRootInterfaceBackWhileDown(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var events recorder
	s := mustOpen(t, Options{Interface: "b", OnEvent: events.add})
	deleteVeth(t)
	events.expect(t, s, InterfaceDown, InterfaceDeleted)
	v := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "a"}, PeerName: "b"}
	if err := netlink.LinkAdd(v); err != nil {
		t.Fatal(err)
	}
	setUp(t, "a")
	events.expect(t, s, InterfaceBack)
	setUp(t, "b")
	events.expect(t, s, InterfaceUp)
	newInjector(t, "a").send(testFrame(60, 1))
	receive(t, s, 1)
}

func TestRootInterfaceGone(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var events recorder
	s := mustOpen(t, Options{Interface: "b", OnEvent: events.add})
	s.timeToBack = 300 * time.Millisecond
	deleteVeth(t)
	events.expect(t, s, InterfaceDown, InterfaceDeleted)
	for begun := time.Now(); ; {
		_, err := s.Next(within(100 * time.Millisecond))
		if err == os.ErrDeadlineExceeded && time.Since(begun) < 20*time.Second {
			continue
		}
		if !errors.Is(err, ErrInterfaceGone) {
			t.Fatalf("Next: %v", err)
		}
		break
	}
	if _, err := s.Next(past); !errors.Is(err, ErrInterfaceGone) {
		t.Errorf("Next again: %v", err)
	}
	checkSum(t, s)
	if err := s.Drain(drainLimit); err != nil {
		t.Errorf("Drain: %v", err)
	}
}

func TestRootRenamedInterface(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var events recorder
	s := mustOpen(t, Options{Interface: "b", OnEvent: events.add})
	if err := netlink.LinkSetDown(linkOf(t, "b")); err != nil {
		t.Fatal(err)
	}
	events.expect(t, s, InterfaceDown)
	if err := netlink.LinkSetName(linkOf(t, "b"), "c"); err != nil {
		t.Fatal(err)
	}
	setUp(t, "c")
	events.expect(t, s, InterfaceUp)
	newInjector(t, "a").send(testFrame(60, 1))
	receive(t, s, 1)
}

func TestRootPromiscuityReleased(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	count := func() int { return linkOf(t, "b").Attrs().Promisc }
	quiet := mustOpen(t, Options{Interface: "b"})
	if n := count(); n != 0 {
		t.Fatalf("promiscuity %d without asking", n)
	}
	one := mustOpen(t, Options{Interface: "b", Promiscuous: true})
	two := mustOpen(t, Options{Interface: "b", Promiscuous: true})
	if n := count(); n != 2 {
		t.Fatalf("promiscuity %d with two", n)
	}
	one.Close()
	quiet.Close()
	if n := count(); n != 1 {
		t.Fatalf("promiscuity %d with one", n)
	}
	two.Close()
	if n := count(); n != 0 {
		t.Fatalf("promiscuity %d at the end", n)
	}
}

func TestRootDeadlines(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	for range 3 {
		begun := time.Now()
		if _, err := s.Next(within(30 * time.Millisecond)); err != os.ErrDeadlineExceeded || time.Since(begun) < 30*time.Millisecond {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
	}
	if _, err := s.Next(past); err != os.ErrDeadlineExceeded {
		t.Fatal(err)
	}
}

// TestRootWake: a Next that waits without a deadline, and one that is about to.
func TestRootWake(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	for i := range 40 {
		go func() {
			time.Sleep(time.Duration(i%4) * 300 * time.Microsecond)
			s.Wake()
		}()
		if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
	}
	// One that comes while frames are ready is not lost, and keeps none back.
	newInjector(t, "a").send(testFrame(60, 1))
	s.Wake()
	for frames, woken := 0, 0; frames < 1 || woken < 1; {
		got, err := s.Next(time.Time{})
		if err != nil && err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
		if frames += len(got); err != nil {
			woken++
		}
	}
}

// TestRootCloseEndsNext: a Next that waits, and one that is about to.
func TestRootCloseEndsNext(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	for i := range 20 {
		s := mustOpen(t, Options{Interface: "b"})
		closed := make(chan error, 1)
		go func() {
			time.Sleep(time.Duration(i%4) * 300 * time.Microsecond)
			closed <- s.Close()
		}()
		begun := time.Now()
		if _, err := s.Next(time.Time{}); !errors.Is(err, net.ErrClosed) || time.Since(begun) > 20*time.Second {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(past); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if err := s.SetFilter(acceptAll(1)); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if _, err := s.Stats(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s.ring.mem != nil {
			t.Fatal("the ring is still mapped")
		}
	}
}

// TestRootCloseKeepsLease: frames with the reader stay readable when another goroutine closes; the Release after it frees the ring.
func TestRootCloseKeepsLease(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	a := newInjector(t, "a")
	s := mustOpen(t, Options{Interface: "b"})
	want := testFrame(200, 1)
	a.send(want)
	fs, err := s.Next(within(waitLimit))
	if err != nil || len(fs) != 1 {
		t.Fatalf("%d frames, %v", len(fs), err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fs[0].Data, want) {
		t.Error("the frame has changed")
	}
	s.Release()
	if s.ring.mem != nil {
		t.Error("the ring is still mapped")
	}
	s.Release()
	if _, err := s.Next(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestRootFrameWaitsNoLongerThanRetire(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	in := newInjector(t, "a")
	sent, inTime := 0, 0
	for limit := time.Now().Add(waitLimit); inTime < 10 && time.Now().Before(limit); sent++ { // a busy machine may be late
		begun := time.Now()
		in.send(testFrame(60, uint32(sent)))
		receive(t, s, 1)
		if time.Since(begun) <= 25*time.Millisecond {
			inTime++
		}
	}
	if inTime < 10 {
		t.Errorf("%d frames of %d waited for 25 ms at most", inTime, sent)
	}
}

func TestRootOpenErrors(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	if err := netlink.LinkSetDown(linkOf(t, "b")); err != nil {
		t.Fatal(err)
	}
	check := func(ifname string, want error, text string) {
		t.Helper()
		_, err := Open(Options{Interface: ifname, Filter: acceptAll(1)})
		_, lerr := LinkType(ifname)
		for _, err := range []error{err, lerr} {
			if !errors.Is(err, want) || err.Error() != text {
				t.Errorf("%s: %q", ifname, err)
			}
		}
	}
	check("eth9", ErrNoInterface, "open packet eth9: no such interface")
	check("", ErrNoInterface, "open packet : no such interface")
	check("a-name-that-is-too-long", ErrNoInterface, "open packet a-name-that-is-too-long: no such interface")
	check("b", unix.ENETDOWN, "open packet b: interface is down: bind: network is down")
	if lt, err := LinkType("a"); lt != LinkTypeEthernet || err == nil {
		// The peer is down, but a itself is up.
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(Options{Interface: "a"}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("without a filter: %v", err)
	}
	bad := acceptAll(1)
	bad.Kernel[0].Op = 0xffff
	if _, err := Open(Options{Interface: "a", Filter: bad}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("with a bad filter: %v", err)
	}
}

func TestRootWithoutCapability(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	var head = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1 << unix.CAP_NET_RAW
	if err := unix.Capset(&head, &data[0]); err != nil { // this thread only
		t.Fatal(err)
	}
	defer func() {
		data[0].Effective |= 1 << unix.CAP_NET_RAW
		unix.Capset(&head, &data[0])
	}()
	const text = "open packet b: capturing needs CAP_NET_RAW or root: socket: operation not permitted"
	if _, err := Open(Options{Interface: "b", Filter: acceptAll(1)}); !errors.Is(err, os.ErrPermission) || err.Error() != text {
		t.Errorf("Open: %v", err)
	}
	if _, err := LinkType("b"); !errors.Is(err, os.ErrPermission) || err.Error() != text {
		t.Errorf("LinkType: %v", err)
	}
}

func TestRootNetRawIsEnough(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	in := newInjector(t, "a")
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: 1 << unix.CAP_NET_RAW, Permitted: 1 << unix.CAP_NET_RAW}}
	if err := unix.Capset(&head, &data[0]); err != nil { // this thread, which ends with the test
		t.Fatal(err)
	}
	s := mustOpen(t, Options{Interface: "b", Promiscuous: true, Fanout: new(Fanout)})
	in.send(testFrame(60, 1))
	receive(t, s, 1)
	if err := s.SetFilter(onlyType(0x88b5)); err != nil {
		t.Error(err)
	}
	if err := s.Drain(drainLimit); err != nil {
		t.Error(err)
	}
	silentEOF(t, s)
	checkSum(t, s)
}

func TestRootNothingLeaks(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	count := func() (fds, maps int) {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		m, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return len(d), bytes.Count(m, []byte("socket:["))
	}
	routines := runtime.NumGoroutine()
	fds, maps := count()
	for i := range 6 {
		s, err := Open(Options{Interface: "b", Filter: acceptAll(1), RingBytes: 1 << 20, Promiscuous: i%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		s.Next(past)
		s.Close()
		s.Close()
		Open(Options{Interface: "b"}) // fails late
		Open(Options{Interface: "b", Fanout: new(Fanout)})
		Open(Options{Interface: "eth9"})
		LinkType("b")
		LinkType("eth9")
	}
	// Fewer is no leak: what an earlier test ended may have gone meanwhile.
	for end := time.Now().Add(waitLimit); ; time.Sleep(time.Millisecond) {
		f, m := count()
		n := runtime.NumGoroutine()
		if f <= fds && m <= maps && n <= routines {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors, %d mappings, %d goroutines, were %d, %d, %d", f, m, n, fds, maps, routines)
		}
	}
}

func TestRootDrain(t *testing.T) {
	t.Parallel()
	for _, grouped := range []bool{false, true} {
		t.Run(fmt.Sprint("fanout=", grouped), func(t *testing.T) {
			newNamespace(t)
			newVeth(t, "a", "b", 1500)
			in := newInjector(t, "a")
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for seq := uint32(0); ; seq++ {
					select {
					case <-stop:
						return
					default:
						in.try(testFrame(60, seq))
					}
				}
			}()
			defer func() { close(stop); <-stopped }()
			for round := range 6 {
				o := Options{Interface: "b", RingBytes: 1 << 20}
				if grouped {
					o.Fanout = new(Fanout)
				}
				s := mustOpen(t, o)
				receive(t, s, 100)
				done := make(chan error)
				begun := time.Now()
				go func() {
					time.Sleep(time.Duration(round) * time.Millisecond)
					done <- s.Drain(drainLimit)
				}()
				rest(t, s)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				took := time.Since(begun)
				first := checkSum(t, s)
				if first.Received < 100 {
					t.Fatalf("%+v", first)
				}
				time.Sleep(20 * time.Millisecond) // the stream still flows
				if last := checkSum(t, s); last != first {
					t.Fatalf("numbers moved after io.EOF: %+v, were %+v", last, first)
				}
				if took > 20*time.Second { // it does not wait for the end of the stream
					t.Errorf("took %v", took)
				}
				if _, err := s.Next(within(waitLimit)); err != io.EOF {
					t.Fatalf("Next: %v", err)
				}
				if err := s.SetFilter(acceptAll(1)); err != nil {
					t.Fatal(err)
				}
				silentEOF(t, s)
				s.Close()
				if st := statsOf(t, s); st != first {
					t.Fatalf("after Close %+v, was %+v", st, first)
				}
			}
		})
	}
}

func silentEOF(t *testing.T, s Source) {
	t.Helper()
	if fs, err := s.Next(within(10 * time.Millisecond)); len(fs) > 0 || err != io.EOF {
		t.Fatalf("%d frames, %v", len(fs), err)
	}
}

func TestRootDrainDeliversTheOpenBlock(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	in := newInjector(t, "a")
	in.send(testFrame(60, 0), testFrame(60, 1), testFrame(60, 2))
	if err := s.Drain(drainLimit); err != nil {
		t.Fatal(err)
	}
	in.send(testFrame(60, 3))
	if n := rest(t, s); n != 3 {
		t.Fatalf("%d frames", n)
	}
	if st := checkSum(t, s); st.Received != 3 {
		t.Fatalf("%+v", st)
	}

	idle := mustOpen(t, Options{Interface: "b"})
	begun := time.Now()
	if err := idle.Drain(time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Next(past); err != io.EOF {
		t.Fatalf("idle: %v", err)
	}
	if d := time.Since(begun); d > 20*time.Second {
		t.Errorf("an idle capture took %v", d)
	}
}

func TestRootOverloadAddsUp(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b", RingBytes: 1 << 20})
	in := newInjector(t, "a")
	const n = 30000 // of about 150 bytes each in a ring of 1 MiB
	for seq := range uint32(n) {
		in.send(testFrame(60, seq))
		if seq == n/2 { // one lease in the middle
			if _, err := s.Next(within(waitLimit)); err != nil {
				t.Fatal(err)
			}
		}
		if seq == n*3/4 {
			s.Release()
		}
	}
	st := statsOf(t, s)
	if st.Received != n {
		t.Fatalf("received %d of %d", st.Received, n)
	}
	if st.RingDrops < n/3 || st.RingFreeze == 0 {
		t.Fatalf("no overload: %+v", st)
	}
	if err := s.Drain(drainLimit); err != nil {
		t.Fatal(err)
	}
	last := uint32(0)
	for {
		fs, err := s.Next(within(waitLimit))
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			seq := binary.BigEndian.Uint32(f.Data[14:])
			if !bytes.Equal(f.Data, testFrame(60, seq)) || seq <= last && last != 0 {
				t.Fatalf("frame %d after %d: changed or out of order", seq, last)
			}
			last = seq
		}
	}
	if st := checkSum(t, s); st.Received != n || st.Delivered == 0 {
		t.Fatalf("%+v", st)
	}
}

func TestRootSteadyStateAllocatesNothing(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	in := newInjector(t, "a")
	f := testFrame(200, 1)
	blocks := testing.AllocsPerRun(20, func() {
		in.send(f)
		if _, err := s.Next(within(waitLimit)); err != nil {
			t.Fatal(err)
		}
		s.Release()
		if _, err := s.Next(past); err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
	})
	if blocks != 0 {
		t.Errorf("%v allocations per block", blocks)
	}
}

// TestRootErrorForm: an error of an interface is an error of package net around a system call's, as in the standard library.
func TestRootErrorForm(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b"})
	var op *net.OpError
	if _, err := Open(Options{Interface: "eth9"}); !errors.As(err, &op) || op.Op != "open" || op.Net != "packet" || op.Addr.String() != "eth9" {
		t.Error(err)
	}
	var call *os.SyscallError
	bad := filter.Program{Kernel: []bpf.RawInstruction{{Op: 0xffff}}}
	if err := s.SetFilter(bad); !errors.As(err, &op) || op.Op != "set" || !errors.As(err, &call) || call.Syscall != "setsockopt SO_ATTACH_FILTER" || !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if _, err := s.Next(past); err != os.ErrDeadlineExceeded {
		t.Error(err)
	}
}
