//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"rpcapd/test/ports"
)

// startWithFile runs the sensor with a configuration file and waits until it listens.
func startWithFile(t *testing.T, file string, env ...string) *process {
	t.Helper()
	p := &process{}
	p.Cmd = exec.Command(os.Args[0], "-f", file, "--listen", "127.0.0.1")
	p.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	p.Cmd.Stderr = &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // does nothing after Wait
		_ = p.Wait()
	})
	await(t, "waiting for agents", p.stderr.String, p)
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// TestSIGHUPReloads: new rules are taken over, a broken file keeps the old ones and says why with file and line; what
// needs a restart is named. systemd hears of each step.
func TestSIGHUPReloads(t *testing.T) {
	env := []string{}
	states := make(chan string, 16)
	if runtime.GOOS == "linux" {
		name := filepath.Join(t.TempDir(), "notify")
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			b := make([]byte, 256)
			for {
				n, err := l.Read(b)
				if err != nil {
					return
				}
				states <- string(b[:n])
			}
		}()
		env = append(env, "NOTIFY_SOCKET="+name)
	}
	expect := func(want string) {
		t.Helper()
		if runtime.GOOS != "linux" {
			return
		}
		select {
		case got := <-states:
			if !strings.HasPrefix(got, want) {
				t.Errorf("systemd was told %q instead of %s", got, want)
			}
		case <-time.After(40 * time.Second):
			t.Errorf("systemd was not told %s", want)
		}
	}
	port, data := ports.Free(t), ports.Free(t)
	rules := func(more string) []byte {
		return fmt.Appendf(nil, "[rule all]\nPort = %d\n%s\n[data]\nFirstPort = %d\nPorts = 1\n", port, more, data)
	}
	file := write(t, string(rules("")))
	p := startWithFile(t, file, env...)
	p.port = port
	expect("READY=1")
	a := connect(t, p)
	a.send()

	if err := os.WriteFile(file, rules("Snaplen = nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	await(t, "the old rules stay in force", p.stderr.String, p)
	if text := p.stderr.String(); !strings.Contains(text, file+":3: Snaplen") {
		t.Errorf("the cause is missing:\n%s", text)
	}
	expect("RELOADING=1")
	expect("READY=1")

	second := ports.Free(t)
	more := fmt.Sprintf("[rule more]\nPort = %d\n[output]\nMaxFrame = 100\n", second)
	if err := os.WriteFile(file, rules(more), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGHUP)
	await(t, "rules reloaded", p.stderr.String, p)
	await(t, `"sections": ["[output]"]`, p.stderr.String, p)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", second))
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	expect("RELOADING=1")
	expect("READY=1")
	a.send()
	p.signal(t, syscall.SIGTERM)
	expect("STOPPING=1")
	if code := p.exits(t); code != exitOK || !strings.Contains(p.stderr.String(), "frames 2") || strings.Contains(p.stderr.String(), "2 captures") {
		t.Errorf("exit code %d:\n%s", code, p.stderr.String())
	}
}

// TestReloadNamesTheSections: each section that a reload does not put in force is named as it is written in the file, if it
// says something else, not if it has moved or if an option of the command line wins over it.
func TestReloadNamesTheSections(t *testing.T) {
	dir := t.TempDir()
	const plain = "[rule a]\n"
	path := "Path = " + filepath.ToSlash(dir) + "/%Y.pcapng\n"
	old := plain + "[file a]\n" + path + "[file b]\nKeep = 1\nRotateSize = 1M\n" + strings.Replace(path, "%Y", "b%Y", 1) +
		"[pcap-over-ip x]\n[tap]\nInterface = t0\n[http]\n"
	for _, tt := range []struct {
		was, is string
		args    []string
		want    []string
	}{
		{old, "# moved\n\n" + old, nil, nil},
		{plain, plain + "[rule b]\nPort = 2099\n", nil, nil},
		{plain, "Listen = 127.0.0.1\n" + plain, nil, []string{"Listen"}},
		{plain, "Listen = 127.0.0.1\n" + plain, []string{"--listen", "127.0.0.2"}, nil},
		{plain, plain + "[data]\nFirstPort = 4000\n", nil, []string{"[data]"}},
		{plain, plain + "[data]\nPorts = 4\n", []string{"--udp-ports", "2"}, nil},
		{plain, plain + "[streams]\nWindow = 100\n", nil, nil},
		{plain, plain + "[output]\nFile = x\n", nil, []string{"[output]"}},
		{plain, plain + "[output]\nFile = x\n", []string{"-w", "y"}, nil},
		{plain, plain + "[http]\n", nil, nil}, // outputs are reloaded
		{old, strings.Replace(old, "Keep = 1", "Keep = 2", 1), nil, nil},
		{old, strings.Replace(old, "[file a]\n"+path, "", 1), nil, nil},
	} {
		file := write(t, tt.was)
		s := &settings{}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		s.define(flags)
		if err := flags.Parse(append([]string{"-f", file}, tt.args...)); err != nil {
			t.Fatal(err)
		}
		first, err := s.load(zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(tt.is), 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := s.load(zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		j := job{out: outputs{config: first.config}}
		if got := j.needRestart(second); !slices.Equal(got, tt.want) {
			t.Errorf("%q %v: %q, want %q", tt.is, tt.args, got, tt.want)
		}
	}
}

// TestReloadOutputs: sections of outputs are known by their names. What has not changed is not touched, what has changed ends in
// order and begins anew, also where both need the same directory or port, and what cannot be opened leaves the old one at work.
func TestReloadOutputs(t *testing.T) {
	port, data, feed, other, page := ports.Free(t), ports.Free(t), ports.Free(t), ports.Free(t), ports.Free(t)
	dir := t.TempDir()
	text := func(outputs string) string {
		return fmt.Sprintf("[rule all]\nPort = %d\n[data]\nFirstPort = %d\nPorts = 1\n%s", port, data, outputs)
	}
	section := func(name, folder, more string) string {
		return fmt.Sprintf("[file %s]\nPath = %s/%s/%%s.pcapng\n%s\n", name, dir, folder, more)
	}
	file := write(t, text(section("keep", "keep", "")+section("swap", "a", "")+section("same", "same", "")+
		fmt.Sprintf("[pcap-over-ip]\nListen = %d\n[http]\nListen = %d\n", feed, page)))
	p := startWithFile(t, file)
	p.port = port
	a := connect(t, p)
	a.send()
	frames := func(folder string) (n int) {
		names, err := filepath.Glob(filepath.Join(dir, folder, "*.pcapng*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			n += blocksIn(t, name)
		}
		return n
	}
	// arrived waits: the datagram that the socket still holds at a reload goes to the outputs of the new configuration.
	arrived := func(want map[string]int) {
		t.Helper()
		for limit := time.Now().Add(40 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			wrong := ""
			for folder, want := range want {
				if n := frames(folder); n != want {
					wrong += fmt.Sprintf("%s: %d frames, want %d\n", folder, n, want)
				}
			}
			if wrong == "" {
				return
			}
			if time.Now().After(limit) {
				t.Fatalf("%s%s", wrong, p.stderr.String())
			}
		}
	}
	await(t, "showing health", p.stderr.String, p)
	arrived(map[string]int{"keep": 1, "a": 1, "same": 1})
	reload := func(outputs, says string) {
		t.Helper()
		n := strings.Count(p.stderr.String(), says)
		if err := os.WriteFile(file, []byte(text(outputs)), 0o600); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
		for limit := time.Now().Add(40 * time.Second); strings.Count(p.stderr.String(), says) == n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s is missing:\n%s", says, p.stderr.String())
			}
		}
	}
	reaches := func(port int) bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	}

	reload(section("swap", "b", "")+section("keep", "keep", "")+section("same", "same", "Sync = never")+section("new", "new", "")+
		fmt.Sprintf("[pcap-over-ip]\nListen = %d\n[http]\nListen = %d\nNames = x\n", other, page), "rules reloaded")
	for _, want := range []string{`"[file swap] changed"`, `"[file same] changed"`, `"[file new] new"`, `"[pcap-over-ip] changed"`, `"[http] changed"`} {
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%s is missing:\n%s", want, p.stderr.String())
		}
	}
	if text := p.stderr.String(); strings.Contains(text, "[file keep]") || strings.Contains(text, "take effect at the next restart") {
		t.Errorf("untouched outputs, or a restart:\n%s", text)
	}
	if reaches(feed) || !reaches(other) || !reaches(page) {
		t.Errorf("ports: old %v, new %v, page %v", reaches(feed), reaches(other), reaches(page))
	}
	a.send()
	arrived(map[string]int{"keep": 2, "a": 1, "b": 1, "same": 2, "new": 1})

	// A directory that cannot be used: nothing changes. A port that is taken: the old output works on.
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rest := section("swap", "b", "") + section("keep", "keep", "") + section("new", "new", "")
	reload(rest+section("same", "plain/x", "")+"[http]\nListen = "+fmt.Sprint(page)+"\n", "the old rules stay in force")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	reload(rest+fmt.Sprintf("[pcap-over-ip]\nListen = %d\n", taken.Addr().(*net.TCPAddr).Port), "some outputs could not be opened")
	if !reaches(other) || reaches(page) || !strings.Contains(p.stderr.String(), "[file same] removed") {
		t.Errorf("after a port that is taken: %v %v\n%s", reaches(other), reaches(page), p.stderr.String())
	}
	a.send()
	p.signal(t, syscall.SIGTERM)
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, p.stderr.String())
	}
	arrived(map[string]int{"keep": 3, "a": 1, "b": 2, "same": 2, "new": 2})
}

// TestSIGHUPWithoutAFile: the terminal is gone, so the sensor ends in order.
func TestSIGHUPWithoutAFile(t *testing.T) {
	p := start(t, nil, "-w", filepath.Join(t.TempDir(), "out.pcapng"))
	p.signal(t, syscall.SIGHUP)
	if code := p.exits(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, p.stderr.String())
	}
}
