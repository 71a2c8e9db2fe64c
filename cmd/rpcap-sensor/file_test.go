//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rpcapd/test/ports"
)

// filesIn are the capture files of a directory, and the frames in them.
func filesIn(t *testing.T, pattern string) (names []string, frames int) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, ".list") })
	for _, name := range names {
		n, _ := framesIn(t, name)
		frames += n
	}
	return names, frames
}

// TestWriteRotates: -C, -G and -W, as tcpdump has them.
func TestWriteRotates(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, "-w", filepath.Join(dir, "x-%Y.pcapng"), "-C", "4k", "-G", "1h", "-W", "2")
	a := connect(t, p)
	for range 200 { // 76 bytes each: more than three files
		a.send()
	}
	summary := func() string { _ = p.Process.Signal(syscall.SIGUSR1); return p.stderr.String() }
	await(t, "frames 200", summary, p)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	names, frames := filesIn(t, filepath.Join(dir, "x-2*.pcapng*"))
	if len(names) != 2 || frames < 20 || frames > 100 {
		t.Errorf("%d frames in %v", frames, names)
	}
}

func TestRotateFlags(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-w", "x", "-W", "3"}, "goes with -C or -G"},
		{[]string{"-C", "3"}, "need -w FILE"},
		{[]string{"-w", "-", "-G", "60"}, "need -w FILE"},
		{[]string{"-w", "x", "-C", "lots"}, "GiB"},
		{[]string{"-w", "x%Q", "-C", "1"}, "followed by one of"},
	} {
		if _, msg, code := execute(t, tc.args...); code != exitUsage || !strings.Contains(msg, tc.want) {
			t.Errorf("%v: %d, %s", tc.args, code, msg)
		}
	}
	var m megabytes
	for text, want := range map[string]megabytes{"5": 5e6, "1.5": 1.5e6, "64KiB": 64 << 10, "2GB": 2e9} {
		if err := m.Set(text); err != nil || m != want {
			t.Errorf("-C %s: %d, %v", text, m, err)
		}
	}
}

// TestFileSections: two outputs of one sensor, and what becomes of their files at the end.
func TestFileSections(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "s.ini")
	port := ports.Free(t)
	text := fmt.Sprintf("[rule all]\nPort = %d\n[data]\nFirstPort = %d\nPorts = 1\n"+
		"[file]\nPath = %s/all/%%Y.pcapng\nRotateFrames = 3\nSync = never\n"+
		"[file agents]\nPath = %s/{host}/{interface}.pcapng\nSplit = agent\n"+
		"[file others]\nPath = %s/others.pcapng\nAgents = 192.0.2.0/24\n", port, ports.Free(t), dir, dir, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWithFile(t, file)
	p.port = port
	a := connect(t, p)
	for range 5 {
		a.send()
	}
	await(t, "frames 5", func() string { _ = p.Process.Signal(syscall.SIGUSR1); return p.stderr.String() }, p)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	if names, frames := filesIn(t, dir+"/all/*"); len(names) != 2 || frames != 5 {
		t.Errorf("%d frames in %v", frames, names)
	}
	if names, frames := filesIn(t, dir+"/127.0.0.1/*"); len(names) != 1 || frames != 5 {
		t.Errorf("%d frames in %v", frames, names)
	}
	if names, _ := filesIn(t, dir+"/others*"); len(names) != 0 {
		t.Errorf("%v", names)
	}
	if _, msg, code := execute(t, "-f", write(t, "[rule a]\n[file]\nPath = "+file+"/x.pcapng\n")); code != exitFailed || !strings.Contains(msg, "not a directory") {
		t.Errorf("%d, %s", code, msg)
	}
	if out, _, code := execute(t, "check", "-f", write(t, "[rule a]\n[file]\nPath = x\nRotateSize = much\n")); code != exitFailed ||
		!strings.Contains(out, ":4: RotateSize") || !strings.Contains(out, "as in 500k") {
		t.Errorf("%d, %s", code, out)
	}
}
