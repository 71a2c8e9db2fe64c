//go:build unix

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLoadDoesNotWait: a pipe without a writer would keep a check, or a reload of the sensor, for ever.
func TestLoadDoesNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ini")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() { _, _, err := LoadAgent(path); done <- err }()
	go func() { _, _, err := LoadSensor(path); done <- err }()
	for range 2 {
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "it is a pipe; name a file") {
				t.Errorf("%v", err)
			}
		case <-time.After(40 * time.Second):
			t.Fatal("it waits for ever")
		}
	}
}

// TestLoadUnreadable: root may read everything.
func TestLoadUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ini")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadAgent(path); os.Geteuid() != 0 && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
}

// TestMaxCPUBeyondTheHost: such a limit is none.
func TestMaxCPUBeyondTheHost(t *testing.T) {
	a := Agent{MaxCPU: 201}
	for processors, want := range map[int]int{2: 1, 3: 0} {
		if got := a.Unreachable("x.ini", processors); len(got) != want || want > 0 && !got[0].Warning {
			t.Errorf("%d processors: %v", processors, got)
		}
	}
	if got := (Agent{}).Unreachable("x.ini", 1); got != nil {
		t.Error(got)
	}
}

// TestExposedAccounts: whoever can read the hash of a password can try words on it.
func TestExposedAccounts(t *testing.T) {
	account, err := NewAccount("s1", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		mode os.FileMode
		warn bool
	}{
		{account.Setting(), 0o644, true},
		{account.Setting(), 0o640, false},
		{"NullAuthPermit = YES", 0o644, false},
	} {
		path := filepath.Join(t.TempDir(), "rpcapd.ini")
		if err := os.WriteFile(path, []byte("ActiveClient = 192.0.2.1\n"+c.text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, problems, err := LoadAgent(path)
		if err != nil {
			t.Fatal(err)
		}
		if warned := len(problems) == 1 && problems[0].Warning && strings.Contains(problems[0].String(), "every user can read it; chmod 640 it"); warned != c.warn || !c.warn && len(problems) > 0 {
			t.Errorf("%s with mode %o: %v", c.text, c.mode, problems)
		}
	}
}
