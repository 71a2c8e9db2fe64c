//go:build unix || windows

package filelock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// holderVariable makes the test binary another process: "KIND START LENGTH FILE". It says what came of the lock, and ends
// with its standard input.
const holderVariable = "FILELOCK_TEST_HOLDER"

func TestMain(m *testing.M) {
	if order := os.Getenv(holderVariable); order != "" {
		hold(order)
		return
	}
	os.Exit(m.Run())
}

func hold(order string) {
	var kind, path string
	var r Range
	if _, err := fmt.Sscan(order, &kind, &r.Start, &r.Length, &path); err != nil {
		fmt.Println(err)
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch kind {
	case "exclusive":
		err = Exclusive(f)
	case "write":
		err = Write(f, r)
	case "read":
		err = Read(f, r)
	}
	fmt.Println(err)
	io.Copy(io.Discard, os.Stdin)
}

// another starts a process that takes a lock, and returns what it says, its number, and its end.
func another(t *testing.T, kind string, r Range, path string) (word string, pid int, end func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %s", holderVariable, kind, r.Start, r.Length, path))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { in.Close(); cmd.Wait() }
	t.Cleanup(end)
	word, _ = bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(word), cmd.Process.Pid, end
}

func newFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestExclusive: an open file keeps others out, in this process and in another, until it is closed.
func TestExclusive(t *testing.T) {
	f := newFile(t)
	if err := Exclusive(f); err != nil {
		t.Fatal(err)
	}
	second, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := Exclusive(second); !errors.Is(err, ErrHeld) {
		t.Errorf("in this process: %v", err)
	}
	if word, _, _ := another(t, "exclusive", Range{}, f.Name()); word != ErrHeld.Error() {
		t.Errorf("in another process: %s", word)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Exclusive(second); err != nil {
		t.Errorf("after it was closed: %v", err)
	}
}

// TestClosed: errors name the call.
func TestClosed(t *testing.T) {
	f := newFile(t)
	f.Close()
	_, _, err := Holder(f, Range{})
	for _, err := range []error{Exclusive(f), Write(f, Range{}), Read(f, Range{}), err} {
		if call := (*os.SyscallError)(nil); !errors.As(err, &call) || errors.Is(err, ErrHeld) {
			t.Errorf("%v", err)
		}
	}
}
