package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
)

// TestMain gives the tests a mount namespace of their own where that is possible.
func TestMain(m *testing.M) { netlab.Main(m) }

// disk mounts a small file system.
func disk(t *testing.T, size string) (dir string) {
	t.Helper()
	netlab.Require(t)
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ends waits for the result of Run.
func ends(t *testing.T, s sink.Sink) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	err := s.Run(ctx)
	if ctx.Err() != nil {
		t.Fatal("Run goes on with a full disk")
	}
	return err
}

// readable counts the frames in what is on a disk; every file must be readable to its end.
func readable(t *testing.T, dir string, format savefile.Format) (frames int) {
	t.Helper()
	for _, name := range listing(t, dir) {
		if !strings.HasPrefix(name, "ballast") {
			frames += frameCount(t, unpack(t, filepath.Join(dir, name)), format)
		}
	}
	return frames
}

// TestRootDiskFull: a full disk ends Run with an error that has file, cause and cure. What was written is readable, what
// comes is counted as dropped, and with room there is a new file. Nothing is left open, nothing is lost unseen.
func TestRootDiskFull(t *testing.T) {
	for _, o := range []Options{
		{}, {Format: savefile.Pcap}, {PerAgent: true}, {Compress: Zstd}, {Compress: Gzip}, {RotateSize: 100_000},
	} {
		t.Run(fmt.Sprintf("%v,%v,%v,%v", o.Format, o.Compress, o.PerAgent, o.RotateSize), func(t *testing.T) {
			dir := disk(t, "2m")
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 1400<<10), 0o600); err != nil {
				t.Fatal(err)
			}
			o.Name, o.Path, o.SyncAtClose = "file", filepath.Join(dir, "x.cap"), true
			if o.PerAgent {
				o.Path = filepath.Join(dir, "{host}.cap")
			}
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			f := s.Attach(testSource("web", "eth0", 1))
			const sent = 4000
			for i := range sent { // 6 MB that do not compress
				p := packet(testFrames(1, 1500)[0], uint64(i))
				for k := range p.Data {
					p.Data[k] = byte((i*7919 + k*k*31 + k*i) >> 3)
				}
				f.Frame(p)
			}
			err = ends(t, s)
			if !errors.Is(err, sink.ErrTryAgain) || !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("Run says %v", err)
			}
			for _, want := range []string{dir, "no space left on device", "make room on the disk of " + dir, "KeepBytes"} {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q is missing in, or a line too much in: %v", want, err)
				}
			}
			first := 0
			if o.Compress == Uncompressed {
				first = readable(t, dir, o.Format)
				if lost := s.lost.frames; uint64(first)+lost != sent {
					t.Errorf("%d frames readable, %d lost, of %d", first, lost, sent)
				} else if first < 300 || lost == 0 {
					t.Errorf("%d frames readable, %d lost", first, lost)
				}
			}
			if st := s.Status(); st.State != sink.Retrying || !strings.Contains(st.Error, "no space left") {
				t.Errorf("status %+v", st)
			}
			before := listing(t, dir)
			for range 3 {
				f.Frame(packet(testFrames(1, 60)[0], 1))
				if err := ends(t, s); !errors.Is(err, unix.ENOSPC) {
					t.Errorf("with a disk that is still full: %v", err)
				}
			}
			if c := f.Counters(); c.Written+c.Dropped != sent+3 || c.Dropped != s.lost.frames+3 {
				t.Errorf("counters %+v of %d, %d lost", c, sent+3, s.lost.frames)
			} else if o.Compress == Uncompressed && int(c.Written) != first {
				t.Errorf("%d written, %d readable", c.Written, first)
			}
			if after := listing(t, dir); len(after) != len(before) {
				t.Errorf("trying leaves files: %v, then %v", before, after)
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			stop := runSink(s)
			await(t, func() bool { return s.Status().State == sink.Running })
			for range 20 {
				f.Frame(packet(testFrames(1, 60)[0], 1))
			}
			if o.Compress != Uncompressed {
				await(t, func() bool { return s.recovered.Load() == 1 })
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if n := readable(t, dir, o.Format); n-first < 20 || o.Compress == Uncompressed && n-first != 20 {
				t.Errorf("%d frames more after there was room", n-first)
			}
			if n, lost := readable(t, dir, o.Format), s.lost.frames; uint64(n)+lost != sent+20 {
				t.Errorf("%d frames readable, %d lost, of %d", n, lost, sent+20)
			}
			if c := f.Counters(); int(c.Written) != readable(t, dir, o.Format) || c.Written+c.Dropped != sent+3+20 {
				t.Errorf("counters %+v of %d, %d readable", c, sent+23, readable(t, dir, o.Format))
			}
			for _, name := range listing(t, dir) {
				if strings.HasSuffix(name, partSuffix) {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// TestRootStreamDiskFull: the single file goes on in itself.
func TestRootStreamDiskFull(t *testing.T) {
	dir := disk(t, "1m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 500<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "all.pcapng")
	w, err := OpenOneFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := NewSingle(name, w, false, nil)
	f := s.Attach(testSource("web", "eth0", 1))
	for i := range 1000 {
		f.Frame(packet(testFrames(1, 1500)[0], uint64(i)))
	}
	if err := ends(t, s); !errors.Is(err, sink.ErrTryAgain) || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("Run says %v", err)
	}
	first := readable(t, dir, savefile.Pcapng)
	if lost := s.lost.frames; uint64(first)+lost != 1000 || first < 100 {
		t.Errorf("%d frames readable, %d lost", first, lost)
	}
	if c := f.Counters(); int(c.Written) != first || c.Written+c.Dropped != 1000 || c.Bytes != 1500*c.Written {
		t.Errorf("%d frames readable, counters %+v", first, c)
	}
	if err := ends(t, s); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("still full: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	stop := runSink(s)
	await(t, func() bool { f.Frame(packet(testFrames(1, 60)[0], 1)); return int(f.Counters().Taken()) > first })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := readable(t, dir, savefile.Pcapng); n <= first {
		t.Errorf("%d frames, %d before there was room", n, first)
	}
}

// TestRootReadOnly: a disk that was mounted read-only under way is named as such, and written to again afterwards.
func TestRootReadOnly(t *testing.T) {
	dir := disk(t, "1m")
	mount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, "size=1m"); err != nil {
			t.Fatal(err)
		}
	}
	mount(unix.MS_RDONLY)
	s, err := New(Options{Name: "file", Path: filepath.Join(dir, "x.pcapng")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err != nil {
		t.Errorf("a disk that may come back keeps the sensor from starting: %v", err)
	}
	if err := ends(t, s); !errors.Is(err, sink.ErrTryAgain) || !strings.Contains(err.Error(), "mount it for writing") {
		t.Errorf("Run says %v", err)
	}
	mount(0)
	stop := runSink(s)
	await(t, func() bool { return s.Status().State == sink.Running })
	f := s.Attach(testSource("web", "eth0", 1))
	f.Frame(packet(testFrames(1, 60)[0], 1))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := readable(t, dir, savefile.Pcapng); n != 1 {
		t.Errorf("%d frames", n)
	}
}
