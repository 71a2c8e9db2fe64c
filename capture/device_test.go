package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// fakeDevice is a device whose filter accepts everything, and which throws away what waits when it gets one, as Npcap does.
type fakeDevice struct {
	mu      sync.Mutex
	link    uint32
	queue   [][]byte
	buf     []byte // of the lease
	err     error  // of read
	refuse  error  // of setFilter
	filters int
	drop    deviceDrops
	resets  bool
	closed  bool
}

func (d *fakeDevice) arrive(frames ...[]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, frames...)
}

func (d *fakeDevice) linkType() uint32 { return d.link }
func (d *fakeDevice) event() uintptr   { return 0 }

func (d *fakeDevice) read() (f udpstr.Frame, ok bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.buf) // the last lease ends here
	if len(d.queue) == 0 {
		return f, false, d.err
	}
	d.buf = append(d.buf[:0], d.queue[0]...)
	d.queue = d.queue[1:]
	return udpstr.Frame{Data: d.buf, Len: uint32(len(d.buf)), Sec: 1}, true, nil
}

func (d *fakeDevice) setFilter(p []bpf.RawInstruction) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return d.refuse
	}
	d.filters++
	d.queue = nil
	if d.resets {
		d.drop = deviceDrops{}
	}
	return nil
}

func (d *fakeDevice) drops() (deviceDrops, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drop, nil
}

func (d *fakeDevice) close() { d.closed = true }

// fakePause waits on the clock of the test.
type fakePause struct {
	woken  chan struct{}
	closed atomic.Bool
}

func newFakePause() *fakePause { return &fakePause{woken: make(chan struct{}, 1)} }

func (p *fakePause) wait(_ uintptr, d time.Duration) error {
	select {
	case <-p.woken:
	case <-time.After(d):
	}
	return nil
}

func (p *fakePause) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p *fakePause) close() { p.closed.Store(true) }

var fakeTraits = deviceTraits{filters: true, pace: 15 * time.Millisecond}

// program keeps n bytes of the frames whose first byte is first; 256 means all.
func program(t *testing.T, first uint32, n uint32) filter.Program {
	t.Helper()
	p := rpcap.Program{{Op: 0x06, K: n}}
	if first < 256 {
		p = rpcap.Program{{Op: 0x30}, {Op: 0x15, K: first, Jf: 1}, {Op: 0x06, K: n}, {Op: 0x06}}
	}
	out, err := filter.Compose(LinkTypeRaw, filter.Exclusion{}, p, n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openFake(t *testing.T, d *fakeDevice, o Options) (*deviceSource, *fakePause) {
	t.Helper()
	p := newFakePause()
	s, err := newDeviceSource(o, fakeTraits, p, func() (device, error) { return d, nil })
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// take returns copies of what is there now.
func take(t *testing.T, s Source) (list [][]byte) {
	t.Helper()
	for {
		frames, err := s.Next(time.Unix(1, 0))
		if err == os.ErrDeadlineExceeded {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			list = append(list, bytes.Clone(f.Data))
		}
		s.Release()
	}
}

func equal(t *testing.T, got [][]byte, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for i := range want {
		if string(got[i]) != want[i] {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// A frame that came before the filter is refused, and one that is longer than the snap length is cut, whatever the device does.
func TestDeviceChecksAgain(t *testing.T) {
	d := &fakeDevice{link: LinkTypeRaw}
	s, p := openFake(t, d, Options{Interface: "x", Snaplen: 4, Filter: program(t, 'a', 100)})
	d.arrive([]byte("abcdefgh"), []byte("bcd"), []byte("a"))
	equal(t, take(t, s), "abcd", "a")
	d.drop = deviceDrops{ring: 3, iface: 2}
	st, err := s.Stats()
	if want := (Stats{Received: 6, RingDrops: 3, Delivered: 2, Bytes: 5, Refused: 1, InterfaceDrops: 2}); err != nil || st != want {
		t.Errorf("%+v, want %+v; %v", st, want, err)
	}
	if s.LinkType() != LinkTypeRaw || d.filters != 1 {
		t.Errorf("link type %d, %d filters", s.LinkType(), d.filters)
	}
	if err := s.Close(); err != nil || !d.closed || !p.closed.Load() {
		t.Errorf("closed: %v, %v; %v", d.closed, p.closed.Load(), err)
	}
	if _, err := s.Next(time.Time{}); err != net.ErrClosed {
		t.Error(err)
	}
	if again, _ := s.Stats(); again != st {
		t.Errorf("%+v after close, %+v before", again, st)
	}
	s.Wake() // no effect, no harm
}

// What waits in the device when the filter is replaced, or passes only the old one, follows the rule of Source.
func TestDeviceSetFilterLosesNothing(t *testing.T) {
	d := &fakeDevice{link: LinkTypeRaw, drop: deviceDrops{ring: 10}, resets: true}
	s, _ := openFake(t, d, Options{Interface: "x", Filter: program(t, 'a', 100)})
	d.drop.ring = 10
	d.arrive([]byte("a1"), []byte("b1"), []byte("a2"))
	if err := s.SetFilter(program(t, 'b', 100)); err != nil {
		t.Fatal(err)
	}
	d.arrive([]byte("a3"), []byte("b2"))
	equal(t, take(t, s), "a1", "a2", "b2")
	if st, _ := s.Stats(); st.RingDrops != 10 || st.Refused != 2 || st.Received != 15 {
		t.Errorf("%+v", st)
	}
	d.refuse = fmt.Errorf("too long: %w", syscall.EINVAL)
	if err := s.SetFilter(program(t, 'a', 100)); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	d.arrive([]byte("a4"), []byte("b3"))
	equal(t, take(t, s), "b3") // the old filter holds
	s.Close()
	if err := s.SetFilter(program(t, 'a', 100)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// A frame that is leased stays as it is while another goroutine replaces the filter.
func TestDeviceLeaseOutlivesSetFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{link: LinkTypeRaw}
		s, _ := openFake(t, d, Options{Interface: "x", Filter: program(t, 256, 100)})
		d.arrive([]byte("first"), []byte("second"))
		frames, err := s.Next(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		set := make(chan error, 1)
		go func() { set <- s.SetFilter(program(t, 's', 100)) }()
		synctest.Wait()
		equal(t, [][]byte{frames[0].Data}, "first")
		s.Release()
		equal(t, take(t, s), "second")
		if err := <-set; err != nil || d.filters != 2 {
			t.Error(err, d.filters)
		}

		// A reader that does not come back is not waited for, and its frame stays.
		d.arrive([]byte("stay"))
		if frames, err = s.Next(time.Time{}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := s.SetFilter(program(t, 256, 100)); err != nil || time.Since(began) != filterPatience {
			t.Error(err, time.Since(began))
		}
		equal(t, [][]byte{frames[0].Data}, "stay")
		s.Close()
		equal(t, [][]byte{frames[0].Data}, "stay")
		if d.closed {
			t.Error("the handle was freed under the lease")
		}
		if s.Release(); !d.closed {
			t.Error("the handle was not freed")
		}
	})
}

// Frames wait no longer than the pace; Wake, Close and Drain end a wait at once.
func TestDeviceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{link: LinkTypeRaw}
		s, _ := openFake(t, d, Options{Interface: "x", Filter: program(t, 256, 100)})
		began := time.Now()
		passed := func(want time.Duration, what string) {
			t.Helper()
			if got := time.Since(began); got < want || got > want+fakeTraits.pace {
				t.Errorf("%s after %v, want %v", what, got, want)
			}
			began = time.Now()
		}
		if _, err := s.Next(began.Add(time.Second)); err != os.ErrDeadlineExceeded {
			t.Error(err)
		}
		passed(time.Second, "deadline")
		time.AfterFunc(time.Second, func() { d.arrive([]byte("x")) })
		if frames, err := s.Next(time.Time{}); err != nil || len(frames) != 1 {
			t.Error(frames, err)
		}
		passed(time.Second, "frame")
		time.AfterFunc(time.Second, s.Wake)
		if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded {
			t.Error(err)
		}
		passed(time.Second, "wake")
		time.AfterFunc(time.Second, func() { s.Drain(time.Second) })
		d.arrive([]byte("y"))
		equal(t, take(t, s), "y")
		if _, err := s.Next(time.Time{}); err != io.EOF {
			t.Error(err)
		}
		passed(time.Second, "end")
		if _, err := s.Next(time.Time{}); err != io.EOF {
			t.Error(err)
		}
		s.Close()
	})
}

func TestDeviceClosesUnderReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{link: LinkTypeRaw}
		s, p := openFake(t, d, Options{Interface: "x", Filter: program(t, 256, 100)})
		ended := make(chan error, 1)
		go func() {
			_, err := s.Next(time.Time{})
			ended <- err
		}()
		synctest.Wait()
		s.Close()
		if err := <-ended; err != net.ErrClosed || !d.closed || !p.closed.Load() {
			t.Error(err, d.closed, p.closed.Load())
		}
	})
}

// Drain delivers what was accepted before, waits for what the device has not handed over, and ends in time under a flood.
func TestDeviceDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDevice{link: LinkTypeRaw}
		s, _ := openFake(t, d, Options{Interface: "x", Filter: program(t, 256, 100)})
		s.traits.settle = 40 * time.Millisecond
		d.arrive([]byte("1"))
		s.Drain(time.Second)
		time.AfterFunc(30*time.Millisecond, func() { d.arrive([]byte("2")) })
		var got [][]byte
		for {
			frames, err := s.Next(time.Time{})
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, bytes.Clone(frames[0].Data))
			s.Release()
		}
		equal(t, got, "1", "2")
		s.Close()

		flood := &fakeDevice{link: LinkTypeRaw}
		s, _ = openFake(t, flood, Options{Interface: "x", Filter: program(t, 256, 100)})
		began := time.Now()
		s.Drain(time.Second)
		for {
			flood.arrive([]byte("x"))
			if _, err := s.Next(time.Time{}); err == io.EOF {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if d := time.Since(began); d < time.Second || d > 1100*time.Millisecond {
			t.Errorf("ended after %v", d)
		}
		s.Close()
	})
}

// A device that fails is opened again; one that does not come back in time, or with another link type, ends the capture.
func TestDeviceComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &fakeDevice{link: LinkTypeRaw, drop: deviceDrops{ring: 5}}
		var next atomic.Pointer[fakeDevice]
		gone := errors.New("adapter removed")
		opened := 0
		var events []EventKind
		s, err := newDeviceSource(Options{
			Interface: "x", Filter: program(t, 'a', 100),
			OnEvent: func(e Event) { events = append(events, e.Kind) },
		}, fakeTraits, newFakePause(), func() (device, error) {
			if opened++; opened == 1 {
				return first, nil
			}
			if d := next.Load(); d != nil {
				return d, nil
			}
			return nil, ErrNoInterface
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		first.arrive([]byte("a1"))
		first.err = gone
		second := &fakeDevice{link: LinkTypeRaw, drop: deviceDrops{ring: 1}}
		time.AfterFunc(10*time.Second, func() { next.Store(second) })
		time.AfterFunc(15*time.Second, func() { second.arrive([]byte("b"), []byte("a2")) })
		var got [][]byte
		for range 2 {
			frames, err := s.Next(time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, bytes.Clone(frames[0].Data))
			s.Release()
		}
		equal(t, got, "a1", "a2")
		if !first.closed || second.filters != 1 || fmt.Sprint(events) != "[interface deleted interface back]" {
			t.Errorf("closed %v, %d filters, %v", first.closed, second.filters, events)
		}
		if st, _ := s.Stats(); st.RingDrops != 6 {
			t.Errorf("%+v", st)
		}

		next.Store(&fakeDevice{link: LinkTypeEthernet})
		second.mu.Lock()
		second.err = gone
		second.mu.Unlock()
		began := time.Now()
		_, err = s.Next(time.Time{})
		if !errors.Is(err, ErrInterfaceGone) || !errors.Is(err, gone) || !errors.Is(err, ErrLinkType) || time.Since(began) < deviceBackTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestDeviceDoesNotOpen(t *testing.T) {
	p := newFakePause()
	if _, err := newDeviceSource(Options{}, fakeTraits, p, func() (device, error) { return nil, ErrNoInterface }); err != ErrNoInterface || !p.closed.Load() {
		t.Error(err, p.closed.Load())
	}
	d := &fakeDevice{refuse: syscall.EINVAL}
	p = newFakePause()
	_, err := newDeviceSource(Options{Filter: program(t, 256, 1)}, fakeTraits, p, func() (device, error) { return d, nil })
	if !errors.Is(err, syscall.EINVAL) || !p.closed.Load() || !d.closed {
		t.Error(err, p.closed.Load(), d.closed)
	}
}

// Counters have 32 bits, wrap, and may begin anew.
func TestDropMeter(t *testing.T) {
	var m dropMeter
	m.add(deviceDrops{ring: 0xfffffff0, iface: 1})
	m.add(deviceDrops{ring: 0x10, iface: 1})
	if m.ring != 0x100000010 || m.iface != 1 {
		t.Errorf("%+v", m)
	}
	m.addAfterReset(deviceDrops{ring: 2, iface: 4})
	if m.ring != 0x100000012 || m.iface != 4 {
		t.Errorf("%+v", m)
	}
	m.restart()
	m.add(deviceDrops{ring: 1})
	if m.ring != 0x100000013 || m.iface != 4 {
		t.Errorf("%+v", m)
	}
}

func TestDeviceAllocates(t *testing.T) {
	d := &stillDevice{frame: make([]byte, 100)}
	s, err := newDeviceSource(Options{Interface: "x", Filter: program(t, 256, 64)}, fakeTraits, newFakePause(), func() (device, error) { return d, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := testing.AllocsPerRun(1000, func() {
		if frames, err := s.Next(time.Unix(1, 0)); err != nil || len(frames[0].Data) != 64 {
			t.Fatal(err)
		}
		s.Release()
	}); n > 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

// stillDevice always has the same frame.
type stillDevice struct {
	fakeDevice
	frame []byte
}

func (d *stillDevice) read() (udpstr.Frame, bool, error) {
	return udpstr.Frame{Data: d.frame, Len: uint32(len(d.frame))}, true, nil
}
