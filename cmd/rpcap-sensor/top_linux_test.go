package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTopOnATerminal: top draws, obeys keys, follows the size, says when the sensor has gone, and leaves the terminal as
// it was.
func TestTopOnATerminal(t *testing.T) {
	t.Parallel()
	p, _, base := startHealthy(t, 3)
	keys, screen := openTerminal(t, 120)
	resize := func(columns, rows uint16) {
		if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
			t.Fatal(err)
		}
	}
	resize(120, 24)
	before, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	top := exec.Command(os.Args[0], "top", "--url", base, "--interval", "200ms")
	top.Env = append(os.Environ(), asCommand+"=1", "TERM=xterm", "NO_COLOR=1")
	top.Stdin, top.Stdout, top.Stderr = screen, screen, screen
	if err := top.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- top.Wait() }()
	t.Cleanup(func() { _ = top.Process.Kill() }) // does nothing if it has ended

	var shown lockedBuffer
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := keys.Read(b)
			if err != nil {
				return
			}
			_, _ = shown.Write(b[:n])
		}
	}()
	seen := 0
	sees := func(what string, want ...string) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			for _, screenful := range strings.Split(shown.String()[seen:], toTop)[1:] {
				all := strings.Contains(screenful, clearRest)
				for _, w := range want {
					w, not := strings.CutPrefix(w, "not ")
					all = all && strings.Contains(screenful, w) != not
				}
				if all {
					seen = len(shown.String())
					return
				}
			}
			if time.Now().After(end) {
				t.Fatalf("%s: no screen with %q:\n%q", what, want, shown.String()[seen:])
			}
		}
	}
	press := func(key string) {
		if _, err := keys.WriteString(key); err != nil {
			t.Fatal(err)
		}
	}
	sees("at first", "127.0.0.1/eth0", "FRAMES/S▼", "CLOCK", "1-1 of 1 peer ")
	press("r")
	sees("after r", "FRAMES/S▲")
	press("m")
	sees("after m", "LOST:PATH▼")
	press("\x1b[B")
	press(" ")
	sees("after space", "PAUSED")
	press(" ")
	resize(50, 12)
	sees("in a small window", "127.0.0.1/eth0", "up ", "not CONNECTED", "not PAUSED") // it may have drawn for the wide one before
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	resize(150, 24)
	sees("after the sensor has gone", "OLD: ask the sensor", "127.0.0.1/eth0")
	press("q")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("q does not end it")
	}
	for end := time.Now().Add(40 * time.Second); !strings.HasSuffix(shown.String(), leaveScreen) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	after, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
	if err != nil || *after != *before || !strings.HasPrefix(shown.String(), enterScreen) || !strings.HasSuffix(shown.String(), leaveScreen) {
		t.Errorf("the terminal is not as it was: %v\n%+v\n%+v", err, before, after)
	}
}
