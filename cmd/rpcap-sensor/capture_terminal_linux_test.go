package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
	"rpcapd/test/ports"
)

// openTerminal makes a pseudo terminal of a width; what is written to it can be read from the first file.
func openTerminal(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		netlab.Missing(t, err.Error())
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		netlab.Missing(t, err.Error())
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

// lineOf is what a terminal line shows after texts that rewrite it.
func lineOf(text string) string {
	i := strings.LastIndex(text, rewrite)
	if i < 0 {
		return text
	}
	return text[i+len(rewrite):]
}

var progressPattern = regexp.MustCompile(`^[0-9]+ frames, \S+ \S+, [0-9]+ frames/s, lost 0, 1 agent, [0-9]+s$`)

// TestCaptureProgress: on a terminal one line is rewritten, fits, and is gone at the end.
func TestCaptureProgress(t *testing.T) {
	t.Parallel()
	for _, columns := range []uint16{80, 30} {
		master, slave := openTerminal(t, columns)
		p := &process{port: ports.Free(t)}
		p.Cmd = exec.Command(os.Args[0], "capture", "-c", "40", "-w", filepath.Join(t.TempDir(), "out.pcapng"),
			"--listen", fmt.Sprintf("127.0.0.1:%d", p.port), "--udp-port", fmt.Sprint(ports.Free(t)), "--udp-ports", "1")
		p.Env, p.Cmd.Stderr = append(os.Environ(), asCommand+"=1"), slave
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		slave.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(&p.stderr, master) // ends with EIO when the other side is closed
		}()
		await(t, "waiting for agents", p.stderr.String, p)
		a := connect(t, p)
		for range 39 {
			a.send()
		}
		await(t, rewrite+"39 frames", p.stderr.String, p)
		a.send()
		if code := p.exits(t); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		<-done
		shown := 0
		for _, line := range strings.Split(p.stderr.String(), "\n") {
			for _, part := range strings.Split(line, rewrite)[1:] {
				if len(part) >= int(columns) && !strings.HasSuffix(line, part) {
					t.Errorf("%q is longer than %d columns", part, columns)
				}
				if progressPattern.MatchString(part) {
					shown++
				}
			}
			if progressPattern.MatchString(strings.TrimRight(lineOf(line), "\r")) {
				t.Errorf("the line has stayed: %q", line)
			}
		}
		if columns == 80 && shown < 1 {
			t.Errorf("no progress line:\n%q", p.stderr.String())
		}
	}
}
