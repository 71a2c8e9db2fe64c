package files

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// running is a sink at work.
type running struct {
	*Sink
	t    *testing.T
	stop func() error
}

func start(t *testing.T, o Options) *running {
	t.Helper()
	if o.Name == "" {
		o.Name = "file test"
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	return &running{s, t, runSink(s)}
}

func (r *running) end() {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatal(err)
	}
}

// send gives n frames to a feed and waits until they are written.
func (r *running) send(f sink.Feed, n, size int) {
	r.t.Helper()
	for i, frame := range testFrames(n, size) {
		f.Frame(packet(frame, uint64(i+1)))
	}
	r.settle()
}

// settle waits until the queue is empty.
func (r *running) settle() {
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		empty := r.queue.Len() == 0
		r.mu.Unlock()
		if empty {
			return
		}
	}
	r.t.Fatal("frames are not written")
}

// listing is the names, with slashes, below a directory but for the list of files, and what is locked for it on Windows.
func listing(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".list") && !strings.HasSuffix(path, ".list.lock") {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// unpack reads a file, compressed or not.
func unpack(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kind := Uncompressed
	switch filepath.Ext(strings.TrimSuffix(path, partSuffix)) {
	case ".gz":
		kind = Gzip
	case ".zst":
		kind = Zstd
	}
	r, end, err := decoder(kind, f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer end()
	b, err := io.ReadAll(r)
	if err != nil && !strings.HasSuffix(path, partSuffix) {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// TestRotateFrames: every file is complete by itself, none has too many frames, and none is lost.
func TestRotateFrames(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "new", "x.pcapng"), RotateFrames: 10, SyncAtClose: true})
	a, b := r.Attach(testSource("web", "eth0", 1)), r.Attach(testSource("web", "tun0", 12))
	for range 7 {
		r.send(a, 3, 100)
		r.send(b, 1, 70)
	}
	a.Detach(sink.Forwarded{Known: true, Received: 21, Captured: 21})
	await(t, func() bool { // the last but one is being closed
		return slices.Equal(listing(t, dir), []string{"new/x-2.pcapng", "new/x-3.pcapng.part", "new/x.pcapng"})
	})
	r.end()
	total := 0
	for i, name := range []string{"new/x.pcapng", "new/x-2.pcapng", "new/x-3.pcapng"} {
		raw := unpack(t, filepath.Join(dir, name))
		frames := readPcapng(t, raw)
		if total += len(frames); len(frames) != min(10, 28-10*i) {
			t.Errorf("%s: %d frames", name, len(frames))
		}
		for _, f := range frames {
			if (f.linkType == 1) != (f.name == "web/eth0") {
				t.Errorf("%s: %s has link type %d", name, f.name, f.linkType)
			}
		}
		reader, err := pcapgo.NewNgReader(bytes.NewReader(raw), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		for err == nil {
			_, _, err = reader.ReadPacketData()
		}
		for k := range reader.NInterfaces() {
			iface, err := reader.Interface(k)
			if err != nil || iface.Filter != "ip" || iface.SnapLength != savefile.Snaplen || iface.Statistics.LastUpdate.IsZero() {
				t.Errorf("%s: interface %d: %+v, %v", name, k, iface, err)
			}
		}
	}
	if total != 28 {
		t.Errorf("%d frames of 28", total)
	}
	info, err := os.Stat(filepath.Join(dir, "new/x.pcapng"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&^0o640 != 0 { // no mode bits there
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := listing(t, dir); len(got) != 3 {
		t.Errorf("at the end: %v", got)
	}
}

// TestRotateSize: no file is larger, what comes in large runs included.
func TestRotateSize(t *testing.T) {
	for _, o := range []Options{{}, {Format: savefile.Pcap}, {PerAgent: true}} {
		dir := t.TempDir()
		o.Path, o.RotateSize = filepath.Join(dir, "x.pcapng"), 20_000
		if o.PerAgent {
			o.Path = filepath.Join(dir, "{host}")
		}
		r := start(t, o)
		a := r.Attach(testSource("web", "eth0", 1))
		r.send(a, 500, 300)
		b := r.Attach(testSource("web", "eth1", 1))
		for range 30 {
			r.send(a, 1, 400)
			r.send(b, 1, 400)
		}
		r.end()
		total := 0
		names := listing(t, dir)
		for _, name := range names {
			b := unpack(t, filepath.Join(dir, name))
			if len(b) > 20_000 {
				t.Errorf("%s has %d bytes", name, len(b))
			}
			total += frameCount(t, b, o.Format)
		}
		if total != 560 || len(names) < 10 || len(names) > 14 {
			t.Errorf("%+v: %d frames in %d files", o, total, len(names))
		}
	}
}

func frameCount(t *testing.T, b []byte, format savefile.Format) (n int) {
	t.Helper()
	if format == savefile.Pcapng {
		return len(readPcapng(t, b))
	}
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := r.ReadPacketData(); err == io.EOF {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

// TestRotateTime: files change with the clock, also when no frame comes.
func TestRotateTime(t *testing.T) {
	dir := t.TempDir()
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.UTC // boundaries follow the local clock
	synctest.Test(t, func(t *testing.T) {
		r := start(t, Options{Path: filepath.Join(dir, "%F-%H%M%S.pcapng"), RotateTime: time.Hour})
		f := r.Attach(testSource("web", "eth0", 1))
		first := time.Now()
		for range 3 {
			f.Frame(packet(testFrames(1, 60)[0], 1))
			synctest.Wait()
			time.Sleep(50 * time.Minute)
		}
		synctest.Wait()
		// At 2:30 two files are complete: that of 0:00 and 0:50, and that of 1:40.
		want := []string{first.Format("2006-01-02-150405") + ".pcapng", first.Add(100*time.Minute).Format("2006-01-02-150405") + ".pcapng"}
		if got := listing(t, dir); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		f.Frame(packet(testFrames(1, 60)[0], 1))
		synctest.Wait()
		if got := listing(t, dir); len(got) != 3 || !strings.HasSuffix(got[2], partSuffix) {
			t.Errorf("%v", got)
		}
		r.end()
	})
}

func TestBoundary(t *testing.T) {
	zone := time.FixedZone("", 5*3600+1800)
	for _, tc := range []struct{ at, every, want string }{
		{"2026-03-04T10:20:30", "1h", "2026-03-04T11:00:00"},
		{"2026-03-04T11:00:00", "1h", "2026-03-04T12:00:00"},
		{"2026-03-04T10:20:30", "24h", "2026-03-05T00:00:00"},
		{"2026-03-04T10:20:30", "10s", "2026-03-04T10:20:40"},
	} {
		at, _ := time.ParseInLocation("2006-01-02T15:04:05", tc.at, zone)
		d, _ := time.ParseDuration(tc.every)
		if got := boundary(at, d).Format("2006-01-02T15:04:05"); got != tc.want {
			t.Errorf("%s, %s: %s", tc.at, tc.every, got)
		}
	}
}

// TestManyAgents: more agents than files may be open, in every form; each has its frames in a file of its own.
func TestManyAgents(t *testing.T) {
	for _, o := range []Options{
		{}, {Compress: Gzip}, {Compress: Zstd}, {Format: savefile.Pcap}, {Format: savefile.Pcap, Compress: Zstd},
	} {
		t.Run(fmt.Sprint(o.Format, o.Compress), func(t *testing.T) {
			dir := t.TempDir()
			const agents, rounds = 60, 12
			o.Path, o.PerAgent, o.MaxOpen = filepath.Join(dir, "{host}/{interface}.cap"), true, 8
			r := start(t, o)
			var feeds []sink.Feed
			for i := range agents {
				feeds = append(feeds, r.Attach(testSource(fmt.Sprint("a", i), "eth0", 1)))
			}
			for k := range rounds {
				for _, f := range feeds {
					f.Frame(packet(testFrames(1, 1000+k)[0], uint64(k)))
				}
				r.settle()
				if k%4 == 3 {
					time.Sleep(flushSplit + 10*time.Millisecond)
				}
			}
			for _, f := range feeds {
				f.Detach(sink.Forwarded{})
			}
			r.end()
			names := listing(t, dir)
			if len(names) != agents {
				t.Fatalf("%d files: %v", len(names), names)
			}
			for _, name := range names {
				if n := frameCount(t, unpack(t, filepath.Join(dir, name)), o.Format); n != rounds {
					t.Errorf("%s: %d frames", name, n)
				}
			}
		})
	}
}

// TestClassicLinkTypes: a merged classic file has the first link type; agents' files are one for each.
func TestClassicLinkTypes(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []Options{
		{Name: "merged", Path: filepath.Join(dir, "m.pcap")},
		{Name: "by type", Path: filepath.Join(dir, "t-{linktype}.pcap")},
		{Name: "split", Path: filepath.Join(dir, "{host}.pcap"), PerAgent: true},
	} {
		o.Format = savefile.Pcap
		r := start(t, o)
		a, b := r.Attach(testSource("web", "eth0", 1)), r.Attach(testSource("web", "tun0", 12))
		r.send(a, 2, 60)
		r.send(b, 2, 60)
		if c := b.Counters(); (c.Dropped == 2) != (o.Name == "merged") {
			t.Errorf("%s: %+v", o.Name, c)
		}
		r.end()
	}
	if got := listing(t, dir); !slices.Equal(got, []string{"m.pcap", "t-1.pcap", "t-101.pcap", "web-2.pcap", "web.pcap"}) {
		t.Errorf("%v", got)
	}
}

// TestEvilNames: what agents call themselves leads nowhere else.
func TestEvilNames(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "in")
	r := start(t, Options{Path: filepath.Join(inside, "{host}", "{interface}-{rule}.pcapng"), PerAgent: true})
	names := []string{"..", ".", "", "../../etc", "/etc/passwd", "a\x00b", "-rf", "a/b", `a\b`, "con.x", "fe80::1%eth0", strings.Repeat("ü", 500), "\xff\xfe", "a\nb", "a b", ".hidden"}
	for _, host := range names {
		for _, iface := range names {
			f := r.Attach(testSource(host, iface, 1))
			f.Frame(packet(testFrames(1, 60)[0], 1))
			f.Detach(sink.Forwarded{})
		}
		r.settle()
	}
	r.end()
	got := listing(t, dir)
	if len(got) != len(names)*len(names) {
		t.Errorf("%d files for %d names", len(got), len(names)*len(names))
	}
	for _, name := range got {
		parts := strings.Split(name, "/")
		if len(parts) != 3 || parts[0] != "in" || strings.HasPrefix(parts[1], ".") || strings.HasPrefix(parts[2], ".") || strings.ContainsAny(name, "\x00\n\\ :") {
			t.Errorf("%q", name)
		}
	}
}

// TestLocked: two sensors do not take each other's files for left over.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng")})
	defer r.end()
	other, err := New(Options{Name: "file test", Path: filepath.Join(dir, "x.pcapng")})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Open(); err == nil || !strings.Contains(err.Error(), "another process writes there") {
		t.Errorf("%v", err)
	}
}

// TestNotPermitted: a mistake is found at the start, with the cure.
func TestNotPermitted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Name: "f", Path: filepath.Join(file, "x.pcapng")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err == nil || !strings.Contains(err.Error(), "not a directory") || strings.Contains(err.Error(), "continues automatically") {
		t.Errorf("%v", err)
	}
	if _, err := New(Options{Name: "f", Path: "x%"}); err == nil {
		t.Error("a bad pattern")
	}
}

// TestEmpty: without a frame there is no file, and nothing stays open.
func TestEmpty(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng")})
	r.Attach(testSource("web", "eth0", 1)).Detach(sink.Forwarded{})
	r.end()
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("%v", got)
	}
	s, err := New(Options{Name: "f", Path: filepath.Join(dir, "x.pcapng")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil || s.Close() != nil {
		t.Error(err)
	}
}

// TestStatisticsOfOneFile: what the agent says at the end is only in a file that has its whole session.
func TestStatisticsOfOneFile(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng"), RotateFrames: 10})
	whole, parted := r.Attach(testSource("web", "eth0", 1)), r.Attach(testSource("web", "eth1", 1))
	r.send(parted, 6, 60)
	r.send(whole, 2, 60)
	whole.Detach(sink.Forwarded{Known: true, Received: 9, KernelDropped: 7, Captured: 2})
	r.settle()
	r.send(parted, 4, 60)
	parted.Detach(sink.Forwarded{Known: true, Received: 10, Captured: 10})
	r.end()
	for name, want := range map[string][]uint64{"x.pcapng": {pcapgo.NgNoValue64, 9}, "x-2.pcapng": {pcapgo.NgNoValue64}} {
		raw := unpack(t, filepath.Join(dir, name))
		reader, err := pcapgo.NewNgReader(bytes.NewReader(raw), pcapgo.DefaultNgReaderOptions)
		for err == nil {
			_, _, err = reader.ReadPacketData()
		}
		for i, n := range want {
			if iface, err := reader.Interface(i); err != nil || iface.Statistics.PacketsReceived != n {
				t.Errorf("%s, %d: %+v, %v", name, i, iface.Statistics, err)
			}
		}
	}
}
