package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/config"
)

func TestNamePattern(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"%Y%m%d-%H%M%S.pcapng", "20261025-000000.pcapng", true},
		{"%Y%m%d-%H%M%S.pcapng", "20261025-000000-17.pcapng.zst", true},
		{"%Y%m%d-%H%M%S.pcapng", "20261025-000000.pcapng.part", false},
		{"%Y%m%d-%H%M%S.pcapng", "web-20261025-000000.pcapng", false},
		{"%s.pcapng", "1700000000.pcapng", true},
		{"%s.pcapng", "x.pcapng", false},
		{"{host}/%F-{interface}.pcap", "web/2026-10-25-eth0.pcap", true},
		{"{host}/%F-{interface}.pcap", "a/b/2026-10-25-eth0.pcap", false},
		{"100%%-%j.cap", "100%-301-2.cap", true},
		{"x.y(z)", "xay(z)", false},
	} {
		if got := namePattern(tc.pattern).MatchString(tc.name); got != tc.want {
			t.Errorf("%s, %s: %v", tc.pattern, tc.name, got)
		}
	}
}

// TestForgotten: the list of a section that was renamed, and files made without Keep, are found; what a running sensor has,
// and what is all right, is not.
func TestForgotten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "%s.pcapng")
	run := func(name string, keep int) *running {
		t.Helper()
		r := start(t, Options{Name: name, Path: path, RotateFrames: 1, Keep: keep})
		f := r.Attach(testSource("web", "eth0", 1))
		r.send(f, 5, 60)
		return r
	}
	check := func(when string, c []config.File, want ...string) {
		t.Helper()
		got := Forgotten(c)
		if len(got) != len(want) {
			t.Errorf("%s: %q", when, got)
			return
		}
		for i, w := range want {
			if !strings.Contains(got[i].Text, w) {
				t.Errorf("%s: %q, want %q", when, got[i].Text, w)
			}
		}
	}
	old := []config.File{{Name: "all", Path: path, RotateFrames: 1, Keep: 9}}
	renamed := []config.File{{Name: "all2", Path: path, RotateFrames: 1, Keep: 9}}
	without := []config.File{{Name: "all2", Path: path, RotateFrames: 1}}
	check("no directory", []config.File{{Path: filepath.Join(dir, "none", "%s.pcapng"), Keep: 1}})
	r := run("file all", 9)
	check("while it runs", old)
	check("another sensor runs there", without)
	r.end()
	check("the same section", old)
	list := filepath.Join(dir, ".rpcap-sensor.file-all.list")
	check("renamed", renamed, list+" is the list of an output that is not in this file: the sensor does not delete its 5 files (")
	check("renamed and without Keep", without, "rename that list to .rpcap-sensor.file-all2.list")
	if err := os.Rename(list, filepath.Join(dir, ".rpcap-sensor.file-all2.list")); err != nil {
		t.Fatal(err)
	}
	check("as the warning says", renamed)
	run("file all2", 0).end()
	check("made without Keep", renamed, "5 files (")
	check("still without", without)
}

// TestForgottenWhileRunning: a sensor completes and deletes files while somebody looks.
func TestForgottenWhileRunning(t *testing.T) {
	c := config.File{Name: "all", Path: filepath.Join(t.TempDir(), "%s.pcapng"), RotateFrames: 1, Keep: 9}
	r := start(t, Options{Name: c.Title(), Path: c.Path, RotateFrames: c.RotateFrames, Keep: c.Keep})
	f, sent := r.Attach(testSource("web", "eth0", 1)), make(chan struct{})
	go func() {
		defer close(sent)
		for range 500 {
			f.Frame(packet(testFrames(1, 60)[0], 1))
			time.Sleep(100 * time.Microsecond)
		}
	}()
	for ended := false; !ended; {
		select {
		case <-sent:
			ended = true
		default:
		}
		if got := Forgotten([]config.File{c}); len(got) > 0 {
			t.Errorf("after %d files: %q", r.completed.Load(), got)
			<-sent
			ended = true
		}
	}
	r.end()
}
