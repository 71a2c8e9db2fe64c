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
	refuse  error  // of a filter
	filters int
	cut     int // what its program returns, as that of a driver; 0: it does not cut
	drop    deviceDrops
	resets  bool
	closed  bool
}

func (d *fakeDevice) arrive(frames ...[]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, frames...)
}

func (d *fakeDevice) linkType() uint32                   { return d.link }
func (d *fakeDevice) attached() bool                     { return true }
func (d *fakeDevice) detach() bool                       { return false }
func (d *fakeDevice) start(p []bpf.RawInstruction) error { return d.replace(p) }

func (d *fakeDevice) divide(p filter.Program) ([]bpf.RawInstruction, judge, error) {
	vm, err := machineOf(p)
	return p.Kernel, judge{vm: vm, again: true, rest: p.VM}, err
}

func (d *fakeDevice) read(dst []udpstr.Frame, _ bool) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.buf) // the last lease ends here
	if len(d.queue) == 0 {
		if d.err != nil {
			return 0, lostError{d.err}
		}
		return 0, nil
	}
	d.buf = append(d.buf[:0], d.queue[0]...)
	d.queue = d.queue[1:]
	dst[0] = udpstr.Frame{Data: d.buf, Len: uint32(len(d.buf)), Sec: 1}
	if d.cut > 0 {
		dst[0].Data = d.buf[:min(d.cut, len(d.buf))]
	}
	return 1, nil
}

func (d *fakeDevice) replace(p []bpf.RawInstruction) error {
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

func (d *fakeDevice) close() error {
	d.closed = true
	return nil
}

// fakeSystem is a system whose devices opener opens. Its reader waits on the clock of the test.
type fakeSystem struct {
	opener func() (device, error)
	woken  chan struct{}
	closed atomic.Bool
}

func newFakeSystem(opener func() (device, error)) *fakeSystem {
	return &fakeSystem{opener: opener, woken: make(chan struct{}, 1)}
}

const fakePace = 15 * time.Millisecond

func (p *fakeSystem) open() (device, error) { return p.opener() }
func (p *fakeSystem) up() (bool, error)     { return true, nil }

func (p *fakeSystem) wait(d device, limit time.Duration) error {
	if d != nil {
		limit = min(limit, fakePace)
	}
	select {
	case <-p.woken:
	case <-time.After(limit):
	}
	return nil
}

func (p *fakeSystem) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p *fakeSystem) close() error {
	p.closed.Store(true)
	return nil
}

var fakeTraits = deviceTraits{frames: 1, retry: time.Second}

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

func openFake(t *testing.T, d *fakeDevice, o Options) (*deviceSource, *fakeSystem) {
	t.Helper()
	p := newFakeSystem(func() (device, error) { return d, nil })
	s, err := newDeviceSource(o, fakeTraits, p)
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

// A driver cuts a frame to what the program returns, and its program may have looked beyond: such a frame is not refused here.
func TestDeviceTrustsWhatIsCut(t *testing.T) {
	looks := rpcap.Program{{Op: 0x30, K: 20}, {Op: 0x15, K: 'x', Jf: 1}, {Op: 0x06, K: 8}, {Op: 0x06}}
	p, err := filter.Compose(LinkTypeRaw, filter.Exclusion{}, looks, 8)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filter.UserSpace(LinkTypeRaw, filter.Exclusion{}, looks, 8)
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Repeat([]byte("x"), 30)
	for _, c := range []struct {
		name string
		p    filter.Program
		cut  int
		want int // frames
	}{
		{"the driver has the program", p, 8, 1},
		{"the frame came before the program", p, 0, 1},
		{"the program runs here, on what it can reach", here, 21, 1},
		{"the program runs here, and needs more", here, 20, 0},
	} {
		d := &fakeDevice{link: LinkTypeRaw, cut: c.cut}
		s, _ := openFake(t, d, Options{Interface: "x", Snaplen: 8, Filter: c.p})
		d.arrive(frame)
		got := take(t, s)
		if len(got) != c.want || c.want > 0 && string(got[0]) != "xxxxxxxx" {
			t.Errorf("%s: %q", c.name, got)
		}
		s.Close()
	}
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
			if got := time.Since(began); got < want || got > want+fakePace {
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
		}, fakeTraits, newFakeSystem(func() (device, error) {
			if opened++; opened == 1 {
				return first, nil
			}
			if d := next.Load(); d != nil {
				return d, nil
			}
			return nil, ErrNoInterface
		}))
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
	p := newFakeSystem(func() (device, error) { return nil, ErrNoInterface })
	if _, err := newDeviceSource(Options{}, fakeTraits, p); !errors.Is(err, ErrNoInterface) || !p.closed.Load() {
		t.Error(err, p.closed.Load())
	}
	d := &fakeDevice{refuse: syscall.EINVAL}
	p = newFakeSystem(func() (device, error) { return d, nil })
	_, err := newDeviceSource(Options{Filter: program(t, 256, 1)}, fakeTraits, p)
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
	s, err := newDeviceSource(Options{Interface: "x", Filter: program(t, 256, 64)}, fakeTraits, newFakeSystem(func() (device, error) { return d, nil }))
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

func (d *stillDevice) read(dst []udpstr.Frame, _ bool) (int, error) {
	dst[0] = udpstr.Frame{Data: d.frame, Len: uint32(len(d.frame))}
	return 1, nil
}
