package tap

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

func ether(size int, tail ...byte) []byte {
	b := make([]byte, max(size, 14+len(tail)))
	for i := range b {
		b[i] = byte(i * 7)
	}
	copy(b, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0})
	copy(b[12:], tail)
	return b
}

func packet(b []byte) *udpstr.Packet {
	return &udpstr.Packet{Frame: udpstr.Frame{Data: b, Len: uint32(len(b))}}
}

func TestHeader(t *testing.T) {
	v4, v6 := []byte{0x45, 0, 0, 20}, []byte{0x60, 0, 0, 0}
	mac := []byte{2, 1, 1, 1, 1, 1}
	none := make([]byte, 6)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tc := range []struct {
		name     string
		linkType uint32
		frame    []byte
		want     []byte // nil: not possible
	}{
		{"raw IPv4", 101, v4, join(none, none, []byte{8, 0}, v4)},
		{"raw IPv6", 101, v6, join(none, none, []byte{0x86, 0xdd}, v6)},
		{"IPv4", 228, v4, join(none, none, []byte{8, 0}, v4)},
		{"IPv6", 229, v6, join(none, none, []byte{0x86, 0xdd}, v6)},
		{"raw nothing", 101, nil, nil},
		{"raw nonsense", 101, []byte{0x10}, nil},
		{"BSD loopback", 0, join([]byte{30, 0, 0, 0}, v6), join(none, none, []byte{0x86, 0xdd}, v6)},
		{"OpenBSD loopback", 108, join([]byte{0, 0, 0, 2}, v4), join(none, none, []byte{8, 0}, v4)},
		{"loopback nothing", 0, []byte{2, 0, 0, 0}, nil},
		{"cooked", 113, join([]byte{0, 0, 0, 1, 0, 6}, mac, []byte{0, 0, 8, 0}, v4), join(none, mac, []byte{8, 0}, v4)},
		{"cooked, no address", 113, join([]byte{0, 0, 0, 1, 0, 0}, mac, []byte{0, 0, 8, 6}, v4), join(none, none, []byte{8, 6}, v4)},
		{"cooked, 802.2", 113, join([]byte{0, 0, 0, 1, 0, 6}, mac, []byte{0, 0, 0, 4}, v4), nil},
		{"cooked, cut", 113, make([]byte, 15), nil},
		{"cooked 2", 276, join([]byte{0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6}, mac, []byte{0, 0}, v6), join(none, mac, []byte{0x86, 0xdd}, v6)},
		{"cooked 2, cut", 276, make([]byte, 19), nil},
	} {
		h, payload, ok := header(tc.linkType, tc.frame)
		if got := append(h[:], payload...); ok != (tc.want != nil) || ok && !bytes.Equal(got, tc.want) {
			t.Errorf("%s: %x, %v; want %x", tc.name, got, ok, tc.want)
		}
	}
	for lt, want := range map[uint32]bool{1: true, 101: true, 113: true, 105: false, 127: false, 147: false} {
		if possible(lt) != want {
			t.Errorf("link type %d: %v", lt, !want)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(uint32(113), make([]byte, 20))
	f.Add(uint32(101), []byte{0x45})
	f.Add(uint32(1), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 1, 0x81, 0})
	f.Fuzz(func(t *testing.T, linkType uint32, frame []byte) {
		if _, payload, ok := header(linkType, frame); ok && !bytes.HasSuffix(frame, payload) {
			t.Errorf("the payload %x is not the end of %x", payload, frame)
		}
		if fits(frame) && need(frame) > MaxMTU {
			t.Errorf("need %d", need(frame))
		}
	})
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"rpcap0": true, "a": true, "fifteen-letters": true, "tap.5": true,
		".": false, "..": false, "a/b": false, "tap%d": false, "a b": false, "a:1": false, "sixteen-letters-": false, "é": false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
	if k, err := New(Options{}); err != nil || k.Name() != "tap rpcap0" {
		t.Errorf("%v, %v", k, err)
	}
	for _, mtu := range []int{-1, 67, 65522} {
		if _, err := New(Options{MTU: mtu}); err == nil || !strings.Contains(err.Error(), "68 to 65521") {
			t.Errorf("MTU %d: %v", mtu, err)
		}
	}
}

// stub is a device that notes what is written, or does not take it.
type stub struct {
	written chan []byte
	begun   chan struct{} // a write has begun
	err     error
	gone    chan error
	size    int
}

func (d *stub) write(frame []byte) error {
	if d.begun != nil {
		d.begun <- struct{}{}
	}
	if d.err == nil {
		d.written <- bytes.Clone(frame)
	}
	return d.err
}
func (d *stub) raise(mtu int) error { return errors.New("not permitted") }
func (d *stub) mtu() int            { return d.size }
func (d *stub) guarded() error      { return nil }
func (d *stub) drain() error        { return <-d.gone }
func (d *stub) close() error {
	select {
	case d.gone <- nil:
	default:
	}
	return nil
}

// TestSlowInterface: when the queue is full frames are dropped and counted, and Frame never waits.
func TestSlowInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := &stub{written: make(chan []byte), gone: make(chan error, 1), size: 1500}
		k.open = func(*Options) (device, error) { return d, nil }
		done := make(chan error)
		go func() { done <- k.Run(t.Context()) }()
		f := k.Attach(sink.Source{LinkType: 1})
		const frames = 300
		for range frames {
			f.Frame(packet(ether(200_000)))
		}
		synctest.Wait()
		c := f.Counters()
		if c.Waiting+c.Dropped != frames || c.Waiting < uint64(bounds.Chunks) || c.Waiting > 3*uint64(bounds.Chunks) || c.Written != 0 {
			t.Errorf("counters %+v", c)
		}
		for range c.Waiting {
			<-d.written
		}
		d.gone <- errGone
		if err := <-done; !errors.Is(err, sink.ErrTryAgain) || !errors.Is(err, errGone) {
			t.Error(err)
		}
		want := sink.Counters{Written: c.Waiting, Bytes: 200_000 * c.Waiting, Dropped: c.Dropped}
		if after := f.Counters(); after != want {
			t.Errorf("counters %+v, want %+v", after, want)
		}
	})
}

// TestRefusedAfterTheEnd: a frame counts as written when the kernel has taken it, and what it refuses after the stream has
// ended is dropped, as before.
func TestRefusedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := &stub{begun: make(chan struct{}), written: make(chan []byte, 100), gone: make(chan error, 1), size: MaxMTU}
		k.open = func(*Options) (device, error) { return d, nil }
		f := k.Attach(sink.Source{LinkType: 1})
		for range 7 {
			f.Frame(packet(ether(60)))
		}
		if c := f.Counters(); c != (sink.Counters{Waiting: 7}) {
			t.Errorf("queued: %+v", c)
		}
		f.Detach(sink.Forwarded{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		for range 3 {
			<-d.begun
		}
		synctest.Wait()
		d.err = errors.New("refused") // from the fourth on; nobody looks at it before the next frame is begun
		for range 2 {
			<-d.begun
			synctest.Wait()
		}
		d.err = nil
		for range 2 {
			<-d.begun
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if c := f.Counters(); c != (sink.Counters{Written: 5, Bytes: 300, Dropped: 2}) {
			t.Errorf("counters %+v", c)
		}
	})
}

// TestLostInQueue: frames that were queued when the interface went are counted as dropped.
func TestLostInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := &stub{begun: make(chan struct{}), gone: make(chan error, 1), size: MaxMTU, err: errGone}
		k.open = func(*Options) (device, error) { return d, nil }
		done := make(chan error)
		f := k.Attach(sink.Source{LinkType: 1})
		other := k.Attach(sink.Source{LinkType: 105})
		for range 10_000 {
			f.Frame(packet(ether(60)))
			other.Frame(packet(ether(60)))
		}
		go func() { done <- k.Run(t.Context()) }()
		<-d.begun
		if err := <-done; !errors.Is(err, errGone) {
			t.Error(err)
		}
		if c := f.Counters(); c != (sink.Counters{Dropped: 10_000}) {
			t.Errorf("counters %+v", c)
		}
		if c := other.Counters(); c != (sink.Counters{Dropped: 10_000}) {
			t.Errorf("counters of another link type %+v", c)
		}
		st := k.Status()
		numbers := map[string]uint64{}
		for _, x := range st.Details {
			numbers[x.Name] = x.Number
		}
		if st.Kind != "tap" || st.State != sink.Retrying || numbers["frames refused by the kernel"] != 10_000 || numbers["frames that cannot be ethernet"] != 10_000 {
			t.Errorf("status %+v", st)
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	k, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	f := k.Attach(sink.Source{LinkType: 1})
	p := packet(ether(512))
	b.ReportAllocs()
	for b.Loop() {
		f.Frame(p)
		if k.queue.Len() > 1 {
			k.queue.GiveBack(k.queue.Take())
		}
	}
}

// TestRefusedAreTold: frames that the kernel refuses now and then, between others that it takes, are one line of the log; after a
// minute without one the next is told, with the number of those that were not.
func TestRefusedAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		k, err := New(Options{Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		d := &moody{stub: stub{gone: make(chan error, 1), size: MaxMTU}}
		k.open = func(*Options) (device, error) { return d, nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		f := k.Attach(sink.Source{LinkType: 1})
		send := func(n int) {
			for i := range n {
				f.Frame(packet(ether(100 + i%1000)))
			}
			synctest.Wait()
		}
		for range 20 {
			send(200)
			time.Sleep(time.Second)
		}
		if c := f.Counters(); c.Written != 2000 || c.Dropped != 2000 || logs.Len() != 1 {
			t.Errorf("%+v, %d lines: %v", c, logs.Len(), logs.All())
		}
		logs.TakeAll()
		time.Sleep(refusedQuiet)
		send(200)
		if l := logs.TakeAll(); len(l) != 1 || l[0].ContextMap()["since_the_last_line"] != int64(1999) {
			t.Errorf("after a quiet minute: %v", l)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// moody is a device that refuses every other frame.
type moody struct {
	stub
	n int
}

func (d *moody) write([]byte) error {
	if d.n++; d.n%2 == 0 {
		return errors.New("invalid argument")
	}
	return nil
}
