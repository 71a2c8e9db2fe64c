package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// TestKeep: old files go, in the next run, too; what others have made or changed stays.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	o := Options{Path: filepath.Join(dir, "x.pcapng"), RotateFrames: 5, Keep: 3}
	foreign := []string{"x-0.pcapng", "other.pcapng", "y.pcapng.part"}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mine := func() []string {
		return slices.DeleteFunc(listing(t, dir), func(name string) bool { return slices.Contains(foreign, name) })
	}
	r := start(t, o)
	f := r.Attach(testSource("web", "eth0", 1))
	r.send(f, 50, 60)
	r.end()
	if got := mine(); !slices.Equal(got, []string{"x-10.pcapng", "x-8.pcapng", "x-9.pcapng"}) {
		t.Errorf("%v", got)
	}
	changed, err := os.OpenFile(filepath.Join(dir, "x-8.pcapng"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	changed.WriteString("now theirs")
	changed.Close()
	r = start(t, o)
	f = r.Attach(testSource("web", "eth0", 1))
	r.send(f, 10, 60)
	r.end()
	if got := mine(); !slices.Equal(got, []string{"x-10.pcapng", "x-2.pcapng", "x-8.pcapng", "x.pcapng"}) {
		t.Errorf("second run: %v", got)
	}
	if got := listing(t, dir); len(got) != 4+len(foreign) {
		t.Errorf("somebody else's file is gone: %v", got)
	}
	if st := r.Status(); len(st.Details) < 10 {
		t.Errorf("status %+v", st)
	}
}

// TestKeepPerAgent: each agent keeps its own newest files.
func TestKeepPerAgent(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "{host}/x.pcapng"), PerAgent: true, RotateFrames: 2, Keep: 2})
	a, b := r.Attach(testSource("a", "eth0", 1)), r.Attach(testSource("b", "eth0", 1))
	r.send(b, 2, 60)
	r.send(a, 20, 60)
	r.end()
	if got := listing(t, dir); !slices.Equal(got, []string{"a/x-10.pcapng", "a/x-9.pcapng", "b/x.pcapng"}) {
		t.Errorf("%v", got)
	}
}

// TestKeepBytes: all files together stay below the limit, and the newest stay.
func TestKeepBytes(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng"), RotateSize: 10_000, KeepBytes: 35_000})
	f := r.Attach(testSource("a", "eth0", 1))
	for range 20 {
		r.send(f, 10, 500)
	}
	r.end()
	var total int64
	names := listing(t, dir)
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 35_000 || len(names) < 3 {
		t.Errorf("%d bytes in %v", total, names)
	}
}

// crash copies a directory as it is, as if the sensor had been killed.
func crash(t *testing.T, dir string, cut int64) (after string) {
	t.Helper()
	after = t.TempDir()
	if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range listing(t, after) {
		path := filepath.Join(after, name)
		if info, err := os.Stat(path); err != nil || strings.HasSuffix(name, partSuffix) && os.Truncate(path, info.Size()-cut) != nil {
			t.Fatal(err)
		}
	}
	return after
}

// TestCrash: what was left is readable, is completed by the next run up to the last whole frame, and counts for Keep.
func TestCrash(t *testing.T) {
	for _, o := range []Options{
		{Keep: 1}, {Format: savefile.Pcap}, {Compress: Gzip}, {Compress: Zstd, Keep: 1}, {PerAgent: true},
	} {
		for _, cut := range []int64{0, 3} {
			t.Run(fmt.Sprintf("%v,%v,%v,%d", o.Format, o.Compress, o.PerAgent, cut), func(t *testing.T) {
				dir := t.TempDir()
				o.Path, o.SyncAtClose = filepath.Join(dir, "x.cap"), true
				if o.PerAgent {
					o.Path = filepath.Join(dir, "{host}.cap")
				}
				r := start(t, o)
				f := r.Attach(testSource("x", "eth0", 1))
				r.send(f, 400, 300)
				part := filepath.Join(dir, "x.cap"+o.Compress.suffix()+partSuffix)
				await(t, func() bool { info, err := os.Stat(part); return err == nil && info.Size() > 2000 })
				await(t, func() bool { return strings.Count(string(unpack(t, part)), string(testFrames(400, 300)[398].Data)) > 0 })
				after := crash(t, dir, cut)
				r.end()

				o.Path = filepath.Join(after, "x.cap")
				if o.PerAgent {
					o.Path = filepath.Join(after, "{host}.cap")
				}
				r = start(t, o)
				await(t, func() bool { return r.recovered.Load() == 1 })
				r.end()
				if got := listing(t, after); len(got) != 1 || got[0] != "x.cap"+o.Compress.suffix() {
					t.Fatalf("%v", got)
				}
				n := frameCount(t, unpack(t, filepath.Join(after, listing(t, after)[0])), o.Format)
				if n > 400 || cut == 0 && n < 399 || o.Compress == Uncompressed && n != 400-min(int(cut), 1) {
					t.Errorf("%d frames", n)
				}
				if o.Keep == 0 {
					return
				}
				r = start(t, o)
				r.send(r.Attach(testSource("x", "eth0", 1)), 1, 60)
				r.end()
				if got := listing(t, after); len(got) != 1 || got[0] != "x-2.cap"+o.Compress.suffix() {
					t.Errorf("kept %v", got)
				}
			})
		}
	}
}

// TestCrashOfAnEmptyFile: a .part without a frame goes; one whose list entry is older than its end is found.
func TestCrashOfAnEmptyFile(t *testing.T) {
	dir := t.TempDir()
	list := "open \"\" \"a.pcapng\"\nopen \"\" \"b.pcapng\"\nopen \"\" \"../c.pcapng\"\nopen \"\" \"d.pcapng.gz\"\nnonsense\nopen \"\" \"e.pcapng\"\nopen \"\" \"torn.pc"
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(filepath.Dir(dir), "c.pcapng.part")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write(".rpcap-sensor.f.list", []byte(list))
	write("a.pcapng.part", savefile.AppendSectionHeader(nil, "x"))
	write("b.pcapng", []byte("complete"))
	write("d.pcapng.gz.part", []byte{0x1f, 0x8b})
	write("torn.pcapng.part", nil)
	r := start(t, Options{Name: "f", Path: filepath.Join(dir, "x.pcapng"), RotateFrames: 1, Keep: 1})
	await(t, func() bool { return len(listing(t, dir)) == 2 })
	r.end()
	if got := listing(t, dir); !slices.Equal(got, []string{"b.pcapng", "torn.pcapng.part"}) {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
	r = start(t, Options{Name: "f", Path: filepath.Join(dir, "x.pcapng"), RotateFrames: 1, Keep: 1})
	f := r.Attach(testSource("x", "eth0", 1))
	r.send(f, 1, 60)
	f.Detach(sink.Forwarded{})
	r.end()
	if got := listing(t, dir); !slices.Equal(got, []string{"torn.pcapng.part", "x.pcapng"}) {
		t.Errorf("%v", got)
	}
}

// TestKeepToldOnce: files that cannot be deleted, or that others have changed, are one line of the log, however many they are and
// however often that is tried.
func TestKeepToldOnce(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	o := Options{Name: "f", Path: filepath.Join(t.TempDir(), "x.pcapng"), RotateFrames: 1, Keep: 30, Log: zap.New(core)}
	r := start(t, o)
	r.send(r.Attach(testSource("web", "eth0", 1)), 30, 60)
	r.end()
	dir := filepath.Dir(o.Path)
	for _, name := range listing(t, dir) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("now theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Keep = 1
	r = start(t, o)
	r.send(r.Attach(testSource("web", "eth0", 1)), 10, 60)
	r.end()
	if l := logs.TakeAll(); len(l) != 1 || !strings.Contains(l[0].Message, "another program has changed it") {
		t.Errorf("%d lines: %v", len(l), l)
	}
	if n := len(listing(t, dir)); n != 31 {
		t.Errorf("%d files, want those of others and the last", n)
	}
}
