package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket/layers"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// A kind is one kind of Source, with what plays its interface or file. Each kind owes what Source promises: see duties.
type kind struct {
	name string
	// in runs a test where this kind can be opened: in virtual time, in a network namespace, or as it is.
	in   func(t *testing.T, test func(t *testing.T))
	rig  func(t *testing.T) *rig
	slow time.Duration // how much later than promised things may happen; 0 in virtual time
	tick time.Duration // how much later a deadline may end
	cannot
}

// cannot has what a kind of Source is not able to do, and why; empty: it can.
type cannot struct {
	wait     string // for frames that come later: what it reads is there from the start
	drop     string // it loses nothing
	vanish   string // there is no interface that could be removed
	flush    string // frames do not wait for others
	wake     string // Wake
	seamless string // lose no frame at a change of the filter, at any moment
}

// rig plays what one Source reads.
type rig struct {
	named string // interface or file
	// open opens the Source. What a file has in it are the frames given.
	open func(o Options, frames ...[]byte) (Source, error)
	// send gives it frames to read.
	send func(frames ...[]byte)
	// missing opens what does not exist, by the name given.
	missing func(name string) error
	// remove deletes the interface, and restore makes another one of the same name.
	remove, restore func()
	// impatient shortens the time to wait for the interface, if that is not virtual.
	impatient func(s Source)
}

// bpfKind plays a kernel of the BSDs.
func bpfKind(name string, inPlace bool, tick time.Duration) kind {
	return kind{
		name: name, in: virtually, tick: 2 * tick,
		rig: func(*testing.T) *rig {
			k := newFakeKernel(name)
			k.inPlace, k.tick = inPlace, tick
			return &rig{
				named: "em0",
				open: func(o Options, frames ...[]byte) (Source, error) {
					o.Interface = "em0"
					s, err := newBPFSource(k, k.layout, o)
					for _, f := range frames {
						k.deliver(f)
					}
					return s, err
				},
				send: func(frames ...[]byte) {
					for _, f := range frames {
						k.deliver(f)
						time.Sleep(time.Microsecond)
					}
				},
				missing: func(name string) error {
					gone := newFakeKernel("macOS and OpenBSD")
					gone.openErr = ErrNoInterface
					_, err := newBPFSource(gone, gone.layout, Options{Interface: name})
					return err
				},
				remove: func() { k.remove(true) }, restore: k.add, impatient: func(Source) {},
			}
		},
	}
}

// wpcapKind plays wpcap.dll with a driver of Windows.
var wpcapKind = kind{
	name: "wpcap.dll", in: virtually,
	cannot: cannot{seamless: "the driver throws away what waits in it when it gets a program, so a frame between the last read and that is lost"},
	rig: func(*testing.T) *rig {
		d := &fakeDriver{exists: true}
		openDriver := func(d *fakeDriver, o Options) (Source, error) {
			s, err := newDeviceSource(o, fakeTraits, newFakeSystem(d.open))
			if err != nil {
				return nil, err
			}
			return s, nil
		}
		return &rig{
			named: "em0",
			open: func(o Options, frames ...[]byte) (Source, error) {
				o.Interface = "em0"
				s, err := openDriver(d, o)
				d.arrive(frames...)
				return s, err
			},
			send:    d.arrive,
			missing: func(name string) error { _, err := openDriver(&fakeDriver{}, Options{Interface: name}); return err },
			remove:  func() { d.set(false) }, restore: func() { d.set(true) }, impatient: func(Source) {},
		}
	},
}

var fileKind = kind{
	name: "file", in: plainly, slow: plainSlack,
	cannot: cannot{
		wait: "a file has its end from the start", drop: "reading waits for the file", vanish: "a file that is open stays",
		flush: "all frames are there from the start", wake: "it never waits",
	},
	rig: func(t *testing.T) *rig {
		path := filepath.Join(t.TempDir(), "frames.pcap")
		return &rig{
			named: path,
			open: func(o Options, frames ...[]byte) (Source, error) {
				if err := os.WriteFile(path, writePcap(t, false, layers.LinkTypeEthernet, stamps(frames)), 0o600); err != nil {
					t.Fatal(err)
				}
				return OpenFile(path, o)
			},
			missing: func(name string) error { _, err := OpenFile(filepath.Join(t.TempDir(), name), Options{}); return err },
		}
	},
}

var pipeKind = kind{
	name: "pipe", in: plainly, slow: plainSlack,
	cannot: cannot{
		drop: "reading waits for the pipe", vanish: "a pipe that is closed cannot be opened again",
		wake: "the agent's watchdog does not wake files",
	},
	rig: func(t *testing.T) *rig {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var p *Pipe
		var sending sync.WaitGroup
		t.Cleanup(func() {
			sending.Wait()
			w.Close()
			for p != nil && (<-p.batches).err == nil { // its goroutine ends
				p.free <- make([]byte, fileBatchBytes)
			}
			r.Close()
		})
		const header = 24
		send := func(frames ...[]byte) { // as much as a pipe holds, or while somebody reads
			for _, f := range frames {
				if _, err := w.Write(writePcap(t, false, layers.LinkTypeEthernet, stamps([][]byte{f}))[header:]); err != nil {
					t.Error(err)
				}
			}
		}
		return &rig{
			named: "standard input", send: send,
			open: func(o Options, frames ...[]byte) (Source, error) {
				if _, err := w.Write(writePcap(t, false, layers.LinkTypeEthernet, nil)); err != nil {
					t.Fatal(err)
				}
				sending.Go(func() { send(frames...) })
				if p, err = OpenPipe(r, "standard input"); err != nil {
					t.Fatal(err)
				}
				return p.Open(o)
			},
			missing: func(name string) error { _, err := OpenPipe(strings.NewReader(""), name); return err },
		}
	},
}

func virtually(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }
func plainly(t *testing.T, test func(t *testing.T))   { test(t) }

// plainSlack is for a machine that has much else to do.
const plainSlack = 20 * time.Second

// stamps gives frames the time of now, to the microsecond.
func stamps(frames [][]byte) (list []stamped) {
	for _, f := range frames {
		list = append(list, stamped{time.Now(), len(f), f})
	}
	return list
}

// duty is one thing that every Source owes.
type duty struct {
	name  string
	needs func(c *cannot) []string // reasons why a kind need not
	test  func(t *testing.T, k *kind, r *rig)
}

var duties = []duty{
	{"frames", nil, owesFrames},
	{"filter beyond the snap length", nil, owesReach},
	{"end", nil, owesEnd},
	{"end of an idle one", func(c *cannot) []string { return []string{c.wait} }, owesIdleEnd},
	{"wake", func(c *cannot) []string { return []string{c.wake} }, owesWake},
	{"flush", func(c *cannot) []string { return []string{c.flush} }, owesFlush},
	{"close", nil, owesClose},
	{"new filter", nil, owesFilter},
	{"drops", func(c *cannot) []string { return []string{c.drop} }, owesDrops},
	{"interface that comes back", func(c *cannot) []string { return []string{c.vanish} }, owesReturn},
	{"interface that does not", func(c *cannot) []string { return []string{c.vanish} }, owesGone},
	{"names in errors", nil, owesNames},
}

func (k *kind) conform(t *testing.T) {
	for _, d := range duties {
		t.Run(d.name, func(t *testing.T) {
			if d.needs != nil {
				if why := strings.Join(d.needs(&k.cannot), ""); why != "" {
					t.Logf("it need not: %s", why)
					return
				}
			}
			k.in(t, func(t *testing.T) { d.test(t, k, k.rig(t)) })
		})
	}
}

// TestConformance asks of every kind of Source what Source promises. The ring of Linux is in TestRootConformance, and
// what a real /dev/bpf or driver does in TestBPFLoopback and TestDriverOfThisSystem.
func TestConformance(t *testing.T) {
	kinds := []kind{wpcapKind, fileKind, pipeKind}
	for name := range layouts {
		kinds = append(kinds, bpfKind(name, true, 0))
	}
	kinds = append(kinds, bpfKind("FreeBSD, NetBSD and DragonFly", false, 10*time.Millisecond))
	for n, k := range kinds {
		name := k.name
		if n == len(kinds)-1 {
			name += ", without BIOCSETFNR, with ticks of 10 ms"
		}
		t.Run(name, k.conform)
	}
}

func (k *kind) mustOpen(t *testing.T, r *rig, o Options, frames ...[]byte) Source {
	t.Helper()
	if o.Filter.Kernel == nil {
		o.Filter = bpfFilter(t, LinkTypeEthernet, o.Snaplen, acceptEthernet)
	}
	o.Retire = 18 * time.Millisecond
	s, err := r.open(o, frames...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wait waits until a collector has n frames.
func (c *collector) wait(t *testing.T, n int) {
	t.Helper()
	for limit := time.Now().Add(40 * time.Second); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		got := len(c.seqs)
		c.mu.Unlock()
		if got >= n {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d frames of %d", got, n)
		}
	}
}

// ended waits for the end of a collector.
func (c *collector) ended(t *testing.T, want error) {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(2 * time.Minute):
		t.Fatal("no end")
	}
	if want != nil && !errors.Is(c.end, want) {
		t.Errorf("ended with %v, want %v", c.end, want)
	}
}

// within checks that something took no longer than it may.
func (k *kind) within(t *testing.T, what string, since time.Time, limit time.Duration) {
	t.Helper()
	if d := time.Since(since); d > limit+k.slow {
		t.Errorf("%s took %v, may take %v", what, d, limit)
	}
}

// owesFrames: the filter and the snap length hold, the frames are whole up to it, in order, with the time at which they came,
// and the sums add up.
func owesFrames(t *testing.T, k *kind, r *rig) {
	const snaplen, n = 40, 50
	began := time.Now().Truncate(time.Microsecond)
	var frames [][]byte
	for i := range uint32(n) {
		frames = append(frames, etherFrame(0x8801, i, 60+int(i)), etherFrame(0x8802, i, 60))
	}
	s := k.mustOpen(t, r, Options{Snaplen: snaplen, Filter: bpfFilter(t, LinkTypeEthernet, snaplen, keepType(0x8801))}, frames...)
	if s.LinkType() != LinkTypeEthernet {
		t.Errorf("link type %d", s.LinkType())
	}
	got, last := 0, began
	for limit := time.Now().Add(40 * time.Second); got < n && time.Now().Before(limit); {
		list, err := s.Next(time.Now().Add(time.Second))
		if err != nil && err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
		if err == nil && len(list) == 0 {
			t.Fatal("neither frames nor an error")
		}
		for _, f := range list {
			want := frames[2*got]
			at := time.Unix(int64(f.Sec), int64(f.Usec)*1000)
			if !bytes.Equal(f.Data, want[:snaplen]) || f.Len != uint32(len(want)) {
				t.Fatalf("frame %d: % x, length %d", got, f.Data, f.Len)
			}
			if f.Usec >= 1e6 || at.Before(last) || at.After(time.Now().Add(time.Millisecond)) {
				t.Fatalf("frame %d: at %v, the one before at %v", got, at, last)
			}
			last = at
			got++
		}
		s.Release()
	}
	st := k.sums(t, s)
	if got != n || st.Delivered != n || st.Bytes != n*snaplen || st.RingDrops != 0 {
		t.Errorf("%d frames; %+v", got, st)
	}
}

// sums drains a source of which all was read, and checks its numbers.
func (k *kind) sums(t *testing.T, s Source) Stats {
	t.Helper()
	if err := s.Drain(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	c := collectFrom(s)
	c.ended(t, io.EOF)
	if len(c.seqs) > 0 {
		t.Errorf("%d frames more", len(c.seqs))
	}
	st, err := s.Stats()
	if err != nil || st.Received != st.RingDrops+st.Delivered+st.Refused {
		t.Errorf("%+v, %v", st, err)
	}
	return st
}

// owesReach: a filter may look beyond the snap length.
func owesReach(t *testing.T, k *kind, r *rig) {
	beyond := rpcap.Program{{Op: 0x30, K: 100}, {Op: 0x15, K: 7, Jf: 1}, {Op: 0x06, K: MaxSnaplen}, {Op: 0x06}}
	yes, no := etherFrame(0x8801, 1, 120), etherFrame(0x8801, 2, 120)
	yes[100] = 7
	for _, compose := range []func(uint32, filter.Exclusion, rpcap.Program, uint32) (filter.Program, error){filter.Compose, filter.UserSpace} {
		p, err := compose(LinkTypeEthernet, filter.Exclusion{}, beyond, 24)
		if err != nil {
			t.Fatal(err)
		}
		r := k.rig(t)
		s := k.mustOpen(t, r, Options{Snaplen: 24, Filter: p}, no, yes, no, yes)
		c := collectFrom(s)
		c.wait(t, 2)
		s.Drain(time.Second)
		c.ended(t, io.EOF)
		if !slices.Equal(c.seqs, []uint32{1, 1}) || c.bytes != 2*24 {
			t.Errorf("%v, %d bytes", c.seqs, c.bytes)
		}
		s.Close()
	}
}

// owesEnd: Drain ends a source in time, though frames go on to come.
func owesEnd(t *testing.T, k *kind, r *rig) {
	s := k.mustOpen(t, r, Options{}, etherFrame(0x8801, 0, 60))
	if k.cannot.wait == "" {
		c := collectFrom(s)
		c.wait(t, 1)
		began := time.Now()
		if err := s.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		r.send(etherFrame(0x8802, 1, 60)) // after Drain
		c.ended(t, io.EOF)
		k.within(t, "the end", began, time.Second)
	} else if err := s.Drain(time.Second); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Next(time.Time{}); err != io.EOF {
			t.Error(err)
		}
	}
	if err := s.Drain(time.Second); err != nil {
		t.Error(err)
	}
	if err := s.SetFilter(bpfFilter(t, LinkTypeEthernet, 0, keepType(1))); err != nil {
		t.Error(err)
	}
}

// owesIdleEnd: deadlines, Drain and Close end a Next that waits on an idle interface.
func owesIdleEnd(t *testing.T, k *kind, r *rig) {
	s := k.mustOpen(t, r, Options{})
	began := time.Now()
	if _, err := s.Next(time.Unix(1, 0)); err != os.ErrDeadlineExceeded {
		t.Error(err)
	}
	k.within(t, "a deadline in the past", began, 0)
	if _, err := s.Next(began.Add(50 * time.Millisecond)); err != os.ErrDeadlineExceeded || time.Since(began) < 50*time.Millisecond {
		t.Error(err, time.Since(began))
	}
	k.within(t, "a deadline", began, 50*time.Millisecond+k.tick)
	c := collectFrom(s)
	time.Sleep(20 * time.Millisecond)
	began = time.Now()
	s.Drain(time.Second)
	c.ended(t, io.EOF)
	k.within(t, "drain", began, time.Second)

	r = k.rig(t)
	s = k.mustOpen(t, r, Options{})
	c = collectFrom(s)
	time.Sleep(20 * time.Millisecond)
	began = time.Now()
	s.Close()
	c.ended(t, net.ErrClosed)
	k.within(t, "close", began, 0)
}

func owesWake(t *testing.T, k *kind, r *rig) {
	s := k.mustOpen(t, r, Options{})
	w := s.(interface{ Wake() })
	began := time.Now()
	w.Wake() // the next one that would wait
	if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded {
		t.Error(err)
	}
	k.within(t, "wake", began, 0)
	time.AfterFunc(20*time.Millisecond, w.Wake)
	if _, err := s.Next(time.Time{}); err != os.ErrDeadlineExceeded {
		t.Error(err)
	}
	k.within(t, "wake", began, 20*time.Millisecond+k.tick)
	s.Close()
	w.Wake()
}

// owesFlush: a frame that no others follow comes within 20 ms.
func owesFlush(t *testing.T, k *kind, r *rig) {
	s := k.mustOpen(t, r, Options{})
	for range 3 {
		time.Sleep(7 * time.Millisecond)
		began := time.Now()
		r.send(etherFrame(0x8801, 0, 60))
		for {
			frames, err := s.Next(began.Add(40 * time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if binary.BigEndian.Uint16(frames[0].Data[12:]) == 0x8801 {
				break
			}
		}
		k.within(t, "a frame", began, 20*time.Millisecond)
		s.Release()
	}
}

// owesClose: what is leased stays, nothing else comes, the numbers are those of before.
func owesClose(t *testing.T, k *kind, r *rig) {
	var frames [][]byte
	for n := range uint32(5) {
		frames = append(frames, etherFrame(0x8801, n, 60))
	}
	s := k.mustOpen(t, r, Options{}, frames...)
	list, err := s.Next(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for n, f := range list {
		if !bytes.Equal(f.Data, frames[n]) {
			t.Errorf("frame %d has changed", n)
		}
	}
	if k.cannot.wait == "" {
		r.send(frames...)
	}
	for range 2 {
		s.Release()
		if list, err := s.Next(time.Time{}); err != net.ErrClosed || len(list) > 0 {
			t.Errorf("%d frames, %v", len(list), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	after, err := s.Stats()
	if err != nil || after.Delivered != before.Delivered || after.Bytes != before.Bytes || after.Received < before.Received {
		t.Errorf("%+v before, %+v after; %v", before, after, err)
	}
}

// owesFilter: while the filter changes, each frame that both programs accept comes once, and none that neither accepts.
func owesFilter(t *testing.T, k *kind, r *rig) {
	const both, neither = 0x8811, 0x8899
	either := func(v uint32) rpcap.Program {
		return rpcap.Program{{Op: 0x28, K: 12}, {Op: 0x15, K: both, Jt: 1}, {Op: 0x15, K: v, Jf: 1}, {Op: 0x06, K: MaxSnaplen}, {Op: 0x06}}
	}
	here, err := filter.UserSpace(LinkTypeEthernet, filter.Exclusion{}, either(0x8801), 0)
	if err != nil {
		t.Fatal(err)
	}
	programs := []filter.Program{bpfFilter(t, 1, 0, either(0x8801)), bpfFilter(t, 1, 0, either(0x8802)), here}
	const rounds, each = 12, 200
	sequence := func(round int) (list [][]byte) {
		for n := range uint32(each) {
			list = append(list, etherFrame(both, uint32(round)*each+n, 60), etherFrame([]uint16{0x8801, 0x8802, neither}[n%3], 0, 60))
		}
		return list
	}
	var all [][]byte
	if k.cannot.wait != "" {
		for round := range rounds {
			all = append(all, sequence(round)...)
		}
	}
	s := k.mustOpen(t, r, Options{Filter: programs[0]}, all...)
	c := collectFrom(s)
	for round := range rounds {
		var sending sync.WaitGroup
		switch {
		case k.cannot.wait != "":
		case k.cannot.seamless != "":
			r.send(sequence(round)...)
		default:
			sending.Go(func() { r.send(sequence(round)...) })
			runtime.Gosched()
		}
		if err := s.SetFilter(programs[(round+1)%len(programs)]); err != nil {
			t.Fatal(err)
		}
		sending.Wait()
	}
	waitFor(t, func() bool { return c.of(both) == rounds*each })
	s.Drain(time.Second)
	c.ended(t, io.EOF)
	next := uint32(0)
	for n, kind := range c.kinds {
		switch {
		case kind == neither:
			t.Fatal("a frame that no program accepts")
		case kind == both && c.seqs[n] != next:
			t.Fatalf("frame %d instead of %d", c.seqs[n], next)
		case kind == both:
			next++
		}
	}
}

// of says how many frames of a type have come.
func (c *collector) of(kind uint16) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.kinds {
		if k == kind {
			n++
		}
	}
	return n
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(40 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it does not come")
		}
	}
}

// overflow sends frames that nobody reads until some are lost, and returns the numbers.
func overflow(t *testing.T, s Source, r *rig, more uint64) Stats {
	t.Helper()
	batch := make([][]byte, 500)
	for n := range batch {
		batch[n] = etherFrame(0x8801, uint32(n), 1000)
	}
	var last Stats
	for range 200 {
		r.send(batch...)
		st, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if st.RingDrops < last.RingDrops || st.Received < last.Received || st.Received < st.RingDrops {
			t.Fatalf("%+v after %+v", st, last)
		}
		if last = st; st.RingDrops > more {
			return st
		}
	}
	t.Fatalf("no drops: %+v", last)
	return last
}

// owesDrops: frames for which there is no room are counted, the count never falls, also not with another interface, and the
// sums add up.
func owesDrops(t *testing.T, k *kind, r *rig) {
	var events recordedEvents
	s := k.mustOpen(t, r, Options{Snaplen: 200, RingBytes: 128 << 10, OnEvent: events.add})
	before := overflow(t, s, r, 0)
	if err := s.SetFilter(bpfFilter(t, LinkTypeEthernet, 200, acceptEthernet)); err != nil {
		t.Fatal(err)
	}
	changed, err := s.Stats()
	if err != nil || changed.RingDrops < before.RingDrops {
		t.Errorf("%+v, before a new filter %+v; %v", changed, before, err)
	}
	c := collectFrom(s)
	if k.cannot.vanish == "" {
		r.remove()
		waitFor(t, func() bool { return events.has(InterfaceDeleted) })
		r.restore()
		waitFor(t, func() bool { return events.has(InterfaceBack) })
		again, err := s.Stats()
		if err != nil || again.RingDrops < changed.RingDrops {
			t.Errorf("%+v, before another interface %+v; %v", again, changed, err)
		}
		r.send(etherFrame(0x8805, 0, 60))
		waitFor(t, func() bool { return c.of(0x8805) == 1 })
	}
	s.Drain(10 * time.Second)
	c.ended(t, io.EOF)
	st, err := s.Stats()
	if err != nil || st.Received != st.RingDrops+st.Delivered+st.Refused || st.Delivered != uint64(len(c.seqs)) || st.RingDrops < changed.RingDrops {
		t.Errorf("%+v, %d frames; %v", st, len(c.seqs), err)
	}
}

// recordedEvents are the events of a source whose Next another goroutine calls.
type recordedEvents struct {
	mu    sync.Mutex
	kinds []EventKind
}

func (r *recordedEvents) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds = append(r.kinds, e.Kind)
}

func (r *recordedEvents) has(k EventKind) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.kinds, k)
}

// owesReturn: frames of before are delivered, so are those of an interface that comes back, with the filter that was set
// meanwhile.
func owesReturn(t *testing.T, k *kind, r *rig) {
	var events recordedEvents
	s := k.mustOpen(t, r, Options{Filter: bpfFilter(t, LinkTypeEthernet, 0, keepType(0x8801)), OnEvent: events.add})
	r.send(etherFrame(0x8801, 1, 60))
	c := collectFrom(s)
	r.remove()
	waitFor(t, func() bool { return events.has(InterfaceDeleted) })
	if err := s.SetFilter(bpfFilter(t, LinkTypeEthernet, 0, keepType(0x8802))); err != nil {
		t.Fatal(err)
	}
	r.restore()
	waitFor(t, func() bool { return events.has(InterfaceBack) })
	r.send(etherFrame(0x8801, 2, 60), etherFrame(0x8802, 3, 60))
	c.wait(t, 2)
	s.Drain(10 * time.Second)
	c.ended(t, io.EOF)
	if !slices.Equal(c.seqs, []uint32{1, 3}) {
		t.Errorf("frames %v, events %v", c.seqs, events.kinds)
	}
}

// owesGone: an interface that does not come back ends the source, with its name.
func owesGone(t *testing.T, k *kind, r *rig) {
	s := k.mustOpen(t, r, Options{})
	r.impatient(s)
	c := collectFrom(s)
	r.remove()
	c.ended(t, ErrInterfaceGone)
	var op *net.OpError
	if !errors.As(c.end, &op) || op.Op != "read" || !strings.Contains(c.end.Error(), r.named) {
		t.Error(c.end)
	}
	if _, err := s.Next(time.Time{}); !errors.Is(err, ErrInterfaceGone) {
		t.Error(err)
	}
	if _, err := s.Stats(); err != nil {
		t.Error(err)
	}
}

// owesNames: an error says of which interface or file it is.
func owesNames(t *testing.T, k *kind, r *rig) {
	const absent = "nothing0"
	err := r.missing(absent)
	if err == nil || !strings.Contains(err.Error(), absent) {
		t.Errorf("open: %v", err)
	}
	if k.cannot.vanish == "" && !errors.Is(err, ErrNoInterface) {
		t.Errorf("open: %v", err)
	}
	s := k.mustOpen(t, r, Options{}, etherFrame(0x8801, 0, 60))
	s.Close()
	for what, err := range map[string]error{
		"set filter": s.SetFilter(bpfFilter(t, LinkTypeEthernet, 0, acceptEthernet)),
		"drain":      s.Drain(time.Second),
	} {
		if err != nil && (!errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), r.named)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
