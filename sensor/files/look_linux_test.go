package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
)

// again runs a sink as the sensor does: once more when it asks for it. The error it gave last is in last.
func again(s sink.Sink, last *atomic.Pointer[error]) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		for {
			err := s.Run(ctx)
			if ctx.Err() != nil || !errors.Is(err, sink.ErrTryAgain) {
				result <- err
				return
			}
			last.Store(&err)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return func() error { cancel(); return <-result }
}

// What others do to the place of a file in use.
var taken = []struct {
	what   string
	do     func(t *testing.T, dir, part string) error
	text   string // of the error
	single bool   // only the file, so the output goes on with another
}{
	{"the directory is moved", func(_ *testing.T, dir, _ string) error { return os.Rename(dir, dir+"2") }, "was moved or deleted", false},
	{"the directory is deleted", func(_ *testing.T, dir, _ string) error { return os.RemoveAll(dir) }, "was moved or deleted", false},
	{"another directory is in its place", func(_ *testing.T, dir, _ string) error {
		return errors.Join(os.Rename(dir, dir+"2"), os.Mkdir(dir, 0o700))
	}, "another file is in its place", false},
	{"another one is mounted over it", func(t *testing.T, dir, _ string) error {
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		return unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m")
	}, "another file is in its place", false},
	{"a cleaner deletes the .part", func(_ *testing.T, _, part string) error { return os.Remove(part) }, "was moved or deleted", true},
	{"somebody renames the .part", func(_ *testing.T, _, part string) error { return os.Rename(part, part+".old") }, "was moved or deleted", true},
	{"somebody puts a file in its place", func(_ *testing.T, _, part string) error {
		return errors.Join(os.Rename(part, part+".old"), os.WriteFile(part, []byte("theirs"), 0o600))
	}, "another file is in its place", true},
	{"somebody empties the .part", func(_ *testing.T, _, part string) error { return os.Truncate(part, 0) }, "cut it", true},
}

// TestRootTakenAway: what is written to a file that is not there any more never counts as written; it is said what has
// happened, and the output goes on by itself.
func TestRootTakenAway(t *testing.T) {
	netlab.Require(t)
	for _, o := range []Options{{}, {Format: savefile.Pcap}, {Compress: Gzip}, {PerAgent: true}, {PerAgent: true, MaxOpen: 1}} {
		for k, tc := range taken {
			t.Run(fmt.Sprintf("%s,%v,%v,%v,%d", tc.what, o.Format, o.Compress, o.PerAgent, o.MaxOpen), func(t *testing.T) {
				t.Parallel() // it waits
				tick := tickEvery / 20
				if o == (Options{}) && k == 0 {
					tick = tickEvery // once as it is
				}
				testTakenAway(t, o, tick, tc.do, tc.text, tc.single)
			})
		}
	}
}

func testTakenAway(t *testing.T, o Options, tick time.Duration, do func(*testing.T, string, string) error, text string, single bool) {
	dir := filepath.Join(t.TempDir(), "o")
	o.Name, o.Path = "file", filepath.Join(dir, "x.cap")
	if o.PerAgent {
		o.Path = filepath.Join(dir, "{host}.cap")
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.every = tick
	var last atomic.Pointer[error]
	stop := again(s, &last)
	f := s.Attach(testSource("x", "eth0", 1))
	other := s.Attach(testSource("y", "eth0", 1)) // with MaxOpen 1 the first file is closed for as long as this one is open
	var before sink.Counters
	send := func(n int) {
		for i := range n {
			f.Frame(packet(testFrames(1, 300)[0], uint64(i+1)))
			other.Frame(packet(testFrames(1, 300)[0], uint64(i+1)))
			now := f.Counters()
			if now.Written < before.Written || now.Bytes < before.Bytes || now.Dropped < before.Dropped {
				t.Fatalf("counters fall: %+v, then %+v", before, now)
			}
			before = now
		}
	}
	send(50)
	await(t, func() bool { return f.Counters().Written == 50 })
	send(25)
	if err := do(t, dir, filepath.Join(dir, "x.cap"+o.Compress.suffix()+partSuffix)); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	send(25)
	// The frames before it may or may not have been looked after; those after it were not.
	await(t, func() bool { c := f.Counters(); return c.Waiting == 0 && c.Written+c.Dropped == 100 })
	if took := time.Since(at); took > 20*time.Second { // 2 s on a machine with nothing else to do
		t.Errorf("noticed after %v", took)
	}
	if c := f.Counters(); c.Written > 75 || c.Dropped < 25 {
		t.Errorf("counters %+v: frames in a file that is not there count as written", c)
	}
	await(t, func() bool { return s.Status().Error != "" }) // it is counted first, then said
	said := s.Status().Error
	if e := last.Load(); single && e != nil {
		t.Errorf("the whole output has failed: %v", *e)
	}
	if !strings.Contains(said, text) || strings.Contains(said, "\n") {
		t.Errorf("status says %q, want %q", said, text)
	}
	// Those who delete a directory delete its files first, so that the sensor may notice it in two steps.
	was := f.Counters().Written + other.Counters().Written
	await(t, func() bool { send(1); return f.Counters().Written+other.Counters().Written > was+30 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	n, now := 0, f.Counters().Written+other.Counters().Written
	for _, name := range listing(t, dir) {
		if !strings.Contains(name, partSuffix) {
			n += frameCount(t, unpack(t, filepath.Join(dir, name)), o.Format)
		}
	}
	if !single && uint64(n) != now-was || single && uint64(n) < now-was {
		t.Errorf("%d frames in %v, %d written since", n, listing(t, dir), now-was)
	}
	if c := f.Counters(); c.Waiting != 0 {
		t.Errorf("at the end %+v", c)
	}
	if c := other.Counters(); single && o.PerAgent && c.Dropped != 0 {
		t.Errorf("a file that nobody has touched has lost frames: %+v", c)
	}
}

// TestTakenAwayAtTheEnd: the last look is when a file gets its name.
func TestTakenAwayAtTheEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "o")
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng")})
	f := r.Attach(testSource("x", "eth0", 1))
	r.send(f, 10, 60)
	await(t, func() bool { return f.Counters().Written == 10 })
	r.send(f, 10, 60)
	f.Detach(sink.Forwarded{})
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); !errors.Is(err, errMoved) {
		t.Errorf("the end says %v", err)
	}
	if c := f.Counters(); c.Waiting != 0 || c.Written+c.Dropped != 20 || c.Written == 20 {
		t.Errorf("counters %+v", c)
	}
	if b, err := os.ReadFile(filepath.Join(dir+"2", "x.pcapng")); err != nil || frameCount(t, b, savefile.Pcapng) != 20 {
		t.Errorf("the file in the moved directory was not completed: %v", err)
	}
}

// TestSingleTakenAway: the same for the one file of -w and [output].
func TestSingleTakenAway(t *testing.T) {
	for _, tc := range taken {
		if !tc.single {
			continue
		}
		t.Run(tc.what, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "all.pcapng")
			w, err := OpenOneFile(name)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			s := NewSingle(name, w, false, nil)
			s.tick /= 20
			var last atomic.Pointer[error]
			stop := again(s, &last)
			f := s.Attach(testSource("x", "eth0", 1))
			send := func(n int) {
				for i := range n {
					f.Frame(packet(testFrames(1, 300)[0], uint64(i+1)))
				}
			}
			send(50)
			await(t, func() bool { return f.Counters().Written == 50 })
			if err := tc.do(t, dir, name); err != nil {
				t.Fatal(err)
			}
			send(25)
			f.Detach(sink.Forwarded{})
			await(t, func() bool { return f.Counters() == (sink.Counters{Written: 50, Bytes: 50 * 300, Dropped: 25}) })
			if e := *last.Load(); !strings.Contains(e.Error(), tc.text) || !strings.Contains(e.Error(), name) {
				t.Errorf("the error is %v, want %q", e, tc.text)
			}
			if b, err := os.ReadFile(name); err == nil && string(b) == "theirs" {
				await(t, func() bool {
					return strings.Contains((*last.Load()).Error(), "another file has its name; move that away")
				})
				if b, err := os.ReadFile(name); err != nil || string(b) != "theirs" {
					t.Errorf("somebody else's file is now %q, %v", b, err)
				}
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			g := s.Attach(testSource("x", "eth0", 1))
			await(t, func() bool { send := packet(testFrames(1, 300)[0], 1); g.Frame(send); return g.Counters().Written > 0 })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			c := g.Counters()
			b, err := os.ReadFile(name)
			if err != nil || c.Waiting != 0 || len(readPcapng(t, b)) != int(c.Written) {
				t.Errorf("%v, %d frames in the new file, counters %+v", err, len(readPcapng(t, b)), c)
			}
		})
	}
}
