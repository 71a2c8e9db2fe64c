package files

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/sink"
)

func testLedger(t *testing.T, dir string, o Options) *ledger {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	o.Name = "file"
	l, err := openLedger(root, &o, func(series string) string { return series })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.close() }) // what is open cannot be removed on Windows; the test may have closed it
	return l
}

// TestLedgerStaysShort: 61,000 rotations, and nothing grows, neither the list nor what
// a rotation costs.
func TestLedgerStaysShort(t *testing.T) {
	dir := t.TempDir()
	l := testLedger(t, dir, Options{Keep: 100, RotateFrames: 1})
	rotate := func(from, to int) {
		for i := from; i < to; i++ {
			name := fmt.Sprintf("2026/%07d.pcapng", i)
			if err := l.begin(name, "web"); err != nil {
				t.Fatal(err)
			}
			l.complete(name, finished{name: name, series: "web", size: 10})
			for _, old := range l.excess(100, 0, 0) {
				l.forget(old.name)
			}
		}
	}
	best := func(from, to int) time.Duration { // of a thousand: the machine may be busy meanwhile
		best := time.Duration(math.MaxInt64)
		for ; from < to; from += 1000 {
			begin := time.Now()
			rotate(from, from+1000)
			best = min(best, time.Since(begin))
		}
		return best
	}
	rotate(0, 1000)
	first := best(1000, 11_000)
	last := best(11_000, 61_000)
	if last > 5*first {
		t.Errorf("1,000 rotations took %v, later %v", first, last)
	}
	info, err := os.Stat(filepath.Join(dir, l.name))
	if err != nil || info.Size() > 100<<10 {
		t.Errorf("the list has %d bytes, %v", info.Size(), err)
	}
	if files, bytes, forgotten := l.sums(); files != 100 || bytes != 1000 || forgotten != 0 {
		t.Errorf("%d files, %d bytes, %d forgotten", files, bytes, forgotten)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	again := testLedger(t, dir, Options{Keep: 100, RotateFrames: 1})
	if files, _, _ := again.sums(); files != 100 || again.done.Front().Value.(*finished).name != "2026/0060900.pcapng" {
		t.Errorf("read again: %d files", files)
	}
}

// TestLedgerReadWhole: a long list of an earlier version, with what a power cut may leave in its middle.
func TestLedgerReadWhole(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for i := range 160_000 {
		switch fmt.Fprintf(&b, "done 10 \"\" \"%07d-%s.pcapng\"\n", i, strings.Repeat("x", 200)); {
		case i == 1000:
			b.WriteString(strings.Repeat("\x00", 200_000) + "\n")
		case i >= 5:
			fmt.Fprintf(&b, "gone \"%07d-%s.pcapng\"\n", i-5, strings.Repeat("x", 200))
		}
	}
	b.WriteString("open \"\" \"last.pcapng\"\ndone 10 \"\" \"cut.pc")
	if b.Len() < 64<<20 {
		t.Fatalf("%d bytes are no test", b.Len())
	}
	if err := os.WriteFile(filepath.Join(dir, ledgerName("file")), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	l := testLedger(t, dir, Options{Keep: 100, RotateFrames: 1})
	if files, _, _ := l.sums(); files != 6 || len(l.interrupted()) != 1 || l.lines != 7 {
		t.Errorf("%d files, %v open, %d lines", files, l.interrupted(), l.lines)
	}
}

// TestLedgerExcess: what goes is the oldest of whoever has too many, then the oldest of all; without retention what is known
// stays known.
func TestLedgerExcess(t *testing.T) {
	dir := t.TempDir()
	l := testLedger(t, dir, Options{Keep: 2, RotateFrames: 1})
	for i, series := range []string{"a", "b", "a", "a", "c", "b", "a"} {
		name := fmt.Sprint(i)
		if err := l.begin(name, series); err != nil {
			t.Fatal(err)
		}
		l.complete(name, finished{name: name, series: series, size: 10})
	}
	names := func(list []finished) (out []string) {
		for _, f := range list {
			out = append(out, f.name)
		}
		return out
	}
	if got := names(l.excess(2, 0, 0)); !slices.Equal(got, []string{"0", "2"}) {
		t.Errorf("Keep = 2: %v", got)
	}
	if got := names(l.excess(2, 45, 20)); !slices.Equal(got, []string{"0", "2", "1", "3", "4"}) {
		t.Errorf("and KeepBytes: %v", got)
	}
	l.forget("0")
	l.forget("2")
	if got := l.excess(2, 0, 0); len(got) != 0 {
		t.Errorf("afterwards %v", got)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	l = testLedger(t, dir, Options{})
	l.complete("z", finished{name: "z", size: 10})
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	l = testLedger(t, dir, Options{Keep: 1, RotateFrames: 1})
	if got := names(l.excess(1, 0, 0)); !slices.Equal(got, []string{"3", "1"}) && !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("Keep = 1 again: %v", got)
	}
}

// TestKeepForAgent: however many interfaces, link types and sessions an agent has, Keep is what it may leave.
func TestKeepForAgent(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "{interface}/{host}-{linktype}-x.pcapng"), PerAgent: true, RotateFrames: 1000, Keep: 2})
	other := r.Attach(testSource("b", "eth0", 1))
	r.send(other, 2, 60)
	for i := range 299 {
		host := "a"
		if i%3 > 0 {
			host = fmt.Sprintf("a#%d", i%3+1)
		}
		f := r.Attach(testSource(host, fmt.Sprintf("eth%d", i), uint32(i%2)))
		r.send(f, 1, 60)
		f.Detach(sink.Forwarded{})
	}
	await(t, func() bool { // those that wait for their agent are few, too
		return len(listing(t, dir)) <= 1+maxIdle+2
	})
	r.end()
	var of [2]int
	for _, name := range listing(t, dir) {
		if strings.Contains(name, "/b-") {
			of[1]++
		} else {
			of[0]++
		}
	}
	if of != [2]int{2, 1} {
		t.Errorf("%v files of the two agents: %v", of, listing(t, dir))
	}
}

// TestKeepBytesInUse: files in use are completed, and deleted, when they alone are too many.
func TestKeepBytesInUse(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Options{Name: "file", Path: filepath.Join(dir, "{host}.pcapng"), PerAgent: true, RotateTime: 24 * time.Hour, KeepBytes: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	s.every = tickEvery / 20
	r := &running{s, t, runSink(s)}
	for i := range 20 {
		r.send(r.Attach(testSource(fmt.Sprintf("h%d", i), "eth0", 1)), 10, 1000)
	}
	await(t, func() bool {
		var total int64
		for _, name := range listing(t, dir) {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
				total += info.Size()
			}
		}
		return total <= 100_000 && r.deleted.Load() >= 10
	})
	r.end()
}
