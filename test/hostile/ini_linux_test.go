package hostile

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rpcapd/rpcap"
)

// notAnIni is a path that leads to no configuration.
type notAnIni struct {
	what string
	put  func(path string) error // makes it; there is nothing at the path before
	says string
}

var notInis = []notAnIni{
	{"binary", contents(noise(3000)), "binary data"},
	{"10 MB", contents(bytes.Repeat([]byte("ActiveClient = 127.0.0.1, 1\n"), 10<<20/28)), "larger than 1 MiB"},
	{"a line of 1 MB", contents(append([]byte("ActiveClient = "), bytes.Repeat([]byte("x"), 1<<20-16)...)), ":1: host"},
	{"a picture without a zero", contents(bytes.ReplaceAll(noise(100_000), []byte{0}, []byte{1})), "not printable"},
	{"bad values", contents([]byte("ActiveClient = 127.0.0.1, 99999\nNullAuthPermit = maybe\n")), ":1: port"},
	{"endless", func(path string) error { return os.Symlink("/dev/zero", path) }, "larger than 1 MiB"},
	{"a folder", func(path string) error { return os.Mkdir(path, 0o755) }, "is a directory"},
	{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o644) }, "is a pipe"},
	{"missing", func(string) error { return nil }, "no such file"},
	{"a link to itself", func(path string) error { return os.Symlink(filepath.Base(path), path) }, "too many levels"},
}

func contents(b []byte) func(string) error {
	return func(path string) error { return os.WriteFile(path, b, 0o644) }
}

func noise(n int) []byte {
	rng, b := rand.New(rand.NewPCG(3, 3)), make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// mostLines is what one bad file may take in the log: what config shows of a file of
// another kind, and a few words.
const mostLines = 110

// TestAgentDoesNotStartWithoutConfiguration: it says why, and exits with 1.
func TestAgentDoesNotStartWithoutConfiguration(t *testing.T) {
	for _, c := range notInis {
		path := filepath.Join(t.TempDir(), "rpcapd.ini")
		if err := c.put(path); err != nil {
			t.Fatal(err)
		}
		p := start(t, nil, 0, "rpcapd", "-f", path, "-r", captureFile(t, 0), "--run-dir", t.TempDir())
		if code := p.Exits(patience); code != 1 {
			t.Errorf("%s: exit code %d", c.what, code)
		}
		text := p.Text()
		if n := strings.Count(text, "\n"); n > mostLines || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d lines, which should say %q:\n%.2000s", c.what, n, c.says, text)
		}
		if len(text) > 30_000 {
			t.Errorf("%s: %d bytes", c.what, len(text))
		}
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' }) {
			t.Errorf("%s: control characters in the log", c.what)
		}
	}
}

// TestAgentDoesNotStartWithAnUnreadableFile needs to be somebody who may not read it.
func TestAgentDoesNotStartWithAnUnreadableFile(t *testing.T) {
	const nobody = 65534
	path := write(t, "rpcapd.ini", []byte(permit))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	as := uint32(0)
	if os.Geteuid() == 0 {
		if as = nobody; !mayBecome(nobody) {
			t.Skip("root of a user namespace can become nobody else, and may read everything")
		}
	}
	p := start(t, nil, as, "rpcapd", "-f", path, "-r", captureFile(t, 0), "--run-dir", "/nowhere")
	if code := p.Exits(patience); code != 1 || !strings.Contains(p.Text(), "permission denied") {
		t.Errorf("exit code %d", code)
	}
}

func mayBecome(user uint32) bool {
	id := int(user)
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && len(strings.Fields(string(m))) == 3 && strings.Fields(string(m))[2] != "1" && id > 0
}

// TestAgentKeepsWhatItHasWithoutConfiguration asks for a reload again and again while
// there is none. Each time it says so, and the session goes on with its capture.
func TestAgentKeepsWhatItHasWithoutConfiguration(t *testing.T) {
	l := listen(t)
	path := write(t, "rpcapd.ini", []byte(permit+line(l, "")))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, 0, "rpcapd", "-f", path, "-r", liveCapture(t, 5), "--run-dir", t.TempDir())
	s := accept(t, l)
	s.authenticate()
	s.open("traffic.pcap")
	s.gets(rpcap.TypeStartCaptureReply, startRequest(openData(t), rpcap.FlagDatagram, rpcap.AcceptAll()))

	const stays = " stays"
	reloads := 0
	reload := func(c notAnIni) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := c.put(path); err != nil {
			t.Fatal(err)
		}
		p.signal(syscall.SIGHUP)
		reloads++
		p.Says(stays, reloads)
	}
	foreign := notAnIni{"a file of something else", contents([]byte("<html>\ncolour = red\n")), ":1: \"<html>\" is not understood"}
	for _, c := range append(notInis, foreign) {
		before := len(p.Text())
		reload(c)
		text := p.Text()[before:]
		if n := strings.Count(text, "\n"); n > mostLines || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d lines, which should say %q:\n%.2000s", c.what, n, c.says, text)
		}
	}
	var few []notAnIni // that are told in a line or two, so that the log stays small
	for _, c := range notInis {
		if c.what != "a picture without a zero" {
			few = append(few, c)
		}
	}
	i := 0
	p.staysFlat(t, batch, func() {
		for range batch {
			reload(few[i%len(few)])
			i++
		}
	})
	stats, _, err := rpcap.ParseStatsReply(s.gets(rpcap.TypeStatsReply, rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest)))
	if err != nil || stats.Captured != 5 {
		t.Errorf("the capture is at %+v, %v", stats, err)
	}
	s.gets(rpcap.TypeEndCaptureReply, rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))

	os.RemoveAll(path)
	if err := os.WriteFile(path, good, 0o644); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.Says("configuration reloaded\t", 1)
	s.gets(rpcap.TypeStatsReply, rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest))
	p.stop(stopLimit)
}

// TestAgentIdlesWithAnEmptyFile: nothing to do is no error, but it is said.
func TestAgentIdlesWithAnEmptyFile(t *testing.T) {
	path := write(t, "rpcapd.ini", nil)
	p := start(t, nil, 0, "rpcapd", "-f", path, "-r", captureFile(t, 5), "--run-dir", t.TempDir())
	p.Says("no ActiveClient line", 1)
	p.Says("agent started", 1)
	l := listen(t)
	if err := os.WriteFile(path, []byte(permit+line(l, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	accept(t, l).authenticate()
	p.stop(stopLimit)
}

// TestSensorDoesNotStartWithoutConfiguration is the same for the other program.
func TestSensorDoesNotStartWithoutConfiguration(t *testing.T) {
	for _, c := range notInis {
		switch c.what { // in the words of this file
		case "a line of 1 MB":
			c.put, c.says = contents(append([]byte("[rule a]\nPort = "), bytes.Repeat([]byte("x"), 1<<20-20)...)), ":2: "
		case "a pipe":
			continue // may be one from a shell: <(...)
		case "bad values":
			c.put, c.says = contents([]byte("[rule a]\nPort = 99999\n")), ":2: "
		}
		path := filepath.Join(t.TempDir(), "rpcap-sensor.ini")
		if err := c.put(path); err != nil {
			t.Fatal(err)
		}
		p := start(t, nil, 0, "rpcap-sensor", "-f", path)
		if code := p.Exits(patience); code != 1 {
			t.Errorf("%s: exit code %d", c.what, code)
		}
		text := p.Text()
		if n := strings.Count(text, "\n"); n > mostLines || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d lines, which should say %q:\n%.2000s", c.what, n, c.says, text)
		}
	}
}
