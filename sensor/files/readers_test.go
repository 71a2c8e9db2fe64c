package files

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
	"rpcapd/test/tool"
)

// runTool runs a program of others on files, if it is there.
func runTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := tool.Need(t, name)
	var stderr bytes.Buffer
	cmd := netlab.AsAnybody(exec.Command(path, args...))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s %s: %v: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// TestReaders: Wireshark's tools read every complete file of every kind, to its end, with the right number of frames.
func TestReaders(t *testing.T) {
	for _, o := range []Options{
		{}, {Compress: Gzip}, {Compress: Zstd}, {Format: savefile.Pcap}, {Format: savefile.Pcap, Compress: Gzip},
		{PerAgent: true, Compress: Gzip, MaxOpen: 1}, {PerAgent: true, Compress: Zstd, MaxOpen: 1},
	} {
		t.Run(fmt.Sprint(o.Format, o.Compress, o.PerAgent), func(t *testing.T) {
			dir := t.TempDir()
			o.Path, o.RotateFrames = filepath.Join(dir, "x.cap"), 100
			if o.PerAgent {
				o.Path = filepath.Join(dir, "{host}.cap")
			}
			r := start(t, o)
			a, b := r.Attach(testSource("a", "eth0", 1)), r.Attach(testSource("b", "eth0", 1))
			for range 10 { // with one file open at once, each is closed and opened again and again
				r.send(a, 13, 60)
				r.send(b, 13, 60)
				if o.PerAgent {
					time.Sleep(20 * time.Millisecond)
				}
			}
			a.Detach(sink.Forwarded{Known: true, Received: 130, Captured: 130})
			r.end()
			var paths []string
			for _, name := range listing(t, dir) {
				paths = append(paths, filepath.Join(dir, name))
			}
			total, lines := 0, strings.Split(strings.TrimSpace(runTool(t, "capinfos", append([]string{"-T", "-r", "-c", "-M"}, paths...)...)), "\n")
			for _, line := range lines {
				_, count, _ := strings.Cut(line, "\t")
				n, err := strconv.Atoi(count)
				if total += n; err != nil || n == 0 {
					t.Errorf("capinfos says %q", line)
				}
			}
			if total != 260 || len(lines) != len(paths) || len(paths) < 3 {
				t.Errorf("%d frames of 260 in %d files: %v", total, len(paths), lines)
			}
			last := paths[len(paths)-1]
			if n := strings.Count(runTool(t, "tshark", "-n", "-r", last, "-T", "fields", "-e", "frame.number"), "\n"); n != 100 {
				t.Errorf("tshark reads %d frames of %s", n, last)
			}
			if o.Compress == Uncompressed {
				runTool(t, "tcpdump", "-n", "-r", last)
			}
		})
	}
}

// TestInterfacesAsWiresharkSeesThem: names, link type and filter.
func TestInterfacesAsWiresharkSeesThem(t *testing.T) {
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng")})
	r.send(r.Attach(testSource("web", "eth0", 1)), 3, 60)
	r.send(r.Attach(testSource("db", "tun0", 12)), 4, 60)
	r.end()
	info := runTool(t, "capinfos", filepath.Join(dir, "x.pcapng"))
	for _, want := range []string{
		"Name = web/eth0", "Name = db/tun0", "Encapsulation = Ethernet", "Encapsulation = Raw IP", "Capture length = 262144",
		"Filter string = ip", "Number of packets = 4", "rpcap-sensor",
	} {
		if !strings.Contains(info, want) {
			t.Errorf("%q is missing in\n%s", want, info)
		}
	}
}

// TestFollow: a reader sees the frames of a .part while it grows.
func TestFollow(t *testing.T) {
	for _, o := range []Options{{}, {Format: savefile.Pcap}, {PerAgent: true}, {Compress: Gzip}, {Compress: Zstd}} {
		t.Run(fmt.Sprint(o.Format, o.Compress, o.PerAgent), func(t *testing.T) {
			t.Parallel() // it waits
			dir := t.TempDir()
			o.Path = filepath.Join(dir, "x.cap")
			if o.PerAgent {
				o.Path = filepath.Join(dir, "{host}.cap")
			}
			r := start(t, o)
			f := r.Attach(testSource("x", "eth0", 1))
			for n := 1; n <= 3; n++ {
				f.Frame(packet(testFrames(n, 60)[n-1], uint64(n)))
				want := string(testFrames(n, 60)[n-1].Data)
				begin := time.Now()
				await(t, func() bool {
					names := listing(t, dir)
					return len(names) == 1 && strings.HasSuffix(names[0], partSuffix) && strings.Contains(string(peek(t, filepath.Join(dir, names[0]))), want)
				})
				if late := time.Since(begin); late > flushCompressed+20*time.Second {
					t.Errorf("frame %d is seen after %v", n, late)
				}
			}
			r.end()
		})
	}
}

// peek reads what can be read of a file that is not complete.
func peek(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kind := Uncompressed
	switch filepath.Ext(strings.TrimSuffix(path, partSuffix)) {
	case ".gz":
		kind = Gzip
	case ".zst":
		kind = Zstd
	}
	plain, end, err := decoder(kind, bytes.NewReader(b))
	if err != nil {
		return nil
	}
	defer end()
	b, _ = io.ReadAll(plain) // up to where it ends
	return b
}

// TestFollowWithTcpdump: as people do it, with tail.
func TestFollowWithTcpdump(t *testing.T) {
	tool.Need(t, "tcpdump")
	dir := t.TempDir()
	r := start(t, Options{Path: filepath.Join(dir, "x.pcapng")})
	f := r.Attach(testSource("x", "eth0", 1))
	r.send(f, 1, 60)
	part := filepath.Join(dir, "x.pcapng.part")
	await(t, func() bool { _, err := os.Stat(part); return err == nil })
	tail := exec.Command("tail", "-c", "+1", "-s", "0.05", "-f", part)
	dump := netlab.AsAnybody(exec.Command("tcpdump", "-n", "-l", "-t", "-r", "-"))
	var out syncBuffer
	dump.Stdin, _ = tail.StdoutPipe()
	dump.Stdout = &out
	for _, c := range []*exec.Cmd{tail, dump} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { c.Process.Kill(); c.Wait() }()
	}
	for want := 1; want < 4; want++ {
		await(t, func() bool {
			n := 0
			for line := range strings.Lines(string(out.Bytes())) {
				if !strings.HasPrefix(line, "\t") {
					n++
				}
			}
			return n >= want
		})
		r.send(f, 1, 60)
	}
	r.end()
}
