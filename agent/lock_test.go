//go:build unix

package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// holderVariable makes the test binary a process that holds something: "run DIR" or "ini FILE". Locks are those of
// processes.
const holderVariable = "AGENT_TEST_HOLDER"

// holdIfTold says "held" or why not, "asked" at each SIGHUP, and ends with its standard input.
func holdIfTold() {
	kind, path, told := strings.Cut(os.Getenv(holderVariable), " ")
	if !told {
		return
	}
	asked := make(chan os.Signal, 1)
	ossignal.Notify(asked, syscall.SIGHUP)
	var err error
	if kind == "run" {
		var dir *RunDir
		if dir, err = OpenRunDir(path); err == nil {
			_, err = dir.hold()
		}
	} else {
		_, err = HoldIni(path)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	go func() {
		for range asked {
			fmt.Println("asked")
		}
	}()
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// holder is such a process.
type holder struct {
	*exec.Cmd
	words *bufio.Scanner
	stdin io.Closer
}

func startHolder(t *testing.T, what string) *holder {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{Cmd: exec.Command(self)}
	h.Env = append(os.Environ(), holderVariable+"="+what)
	if h.stdin, err = h.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.words = bufio.NewScanner(out)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Process.Kill()
		h.Wait()
	})
	return h
}

// says returns the next line.
func (h *holder) says() string {
	h.words.Scan()
	return h.words.Text()
}

// end has it go in peace.
func (h *holder) end() {
	h.stdin.Close()
	h.Wait()
}

// TestSignalOnlyTheHolder: whatever the status file says, the process that holds the directory is meant.
func TestSignalOnlyTheHolder(t *testing.T) {
	dir := t.TempDir()
	victim := startHolder(t, "run "+t.TempDir())
	if victim.says() != "held" {
		t.Fatal("no victim")
	}
	forged := fmt.Appendf(nil, `{"pid": %d, "sessions": []}`, victim.Process.Pid)
	for _, name := range []string{StatusFile, lockName} {
		if err := os.WriteFile(filepath.Join(dir, name), forged, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Running(dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody holds it: %v", err)
	}
	if _, err := Signal(dir, syscall.SIGHUP); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody holds it: %v", err)
	}
	agent := startHolder(t, "run "+dir)
	if word := agent.says(); word != "held" {
		t.Fatal(word)
	}
	if st, err := Running(dir); err != nil || st.PID != agent.Process.Pid {
		t.Errorf("%+v, %v: want process %d", st, err, agent.Process.Pid)
	}
	for range 3 { // to ask does not disturb
		if pid, err := Signal(dir, syscall.SIGHUP); err != nil || pid != agent.Process.Pid {
			t.Fatalf("process %d, %v", pid, err)
		}
		if word := agent.says(); word != "asked" {
			t.Fatalf("%q", word)
		}
	}
	second := startHolder(t, "run "+dir)
	if word := second.says(); !strings.Contains(word, fmt.Sprintf("in use by another agent, process %d; give this one its own with --run-dir", agent.Process.Pid)) {
		t.Errorf("the second agent: %s", word)
	}
	agent.end()
	if _, err := Signal(dir, syscall.SIGHUP); !errors.Is(err, ErrNotRunning) {
		t.Errorf("it has ended: %v", err)
	}
	victim.stdin.Close()
	if word := victim.says(); word != "" {
		t.Errorf("the victim says %q", word)
	}
	if err := victim.Wait(); err != nil {
		t.Errorf("the victim: %v", err)
	}
}

// TestRunFilesInTheWay: others may write into the run directory. What they put there is neither waited for nor followed.
func TestRunFilesInTheWay(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "precious")
	for name, put := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"a link":   func(path string) error { return os.Symlink(outside, path) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a file":   func(path string) error { return os.WriteFile(path, []byte("old"), 0o444) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(outside, []byte("precious"), 0o644); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for _, name := range []string{StatusFile + temporary, MetricsFile + temporary} {
				if err := put(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			run, err := OpenRunDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			inTime(t, func() {
				files, err := run.hold()
				if err != nil {
					t.Error(err)
					return
				}
				defer files.close()
				for _, name := range []string{StatusFile, MetricsFile} {
					if err := files.replace(name, []byte("{}")); err != nil {
						t.Error(err)
					}
					if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
						t.Errorf("%s: %v, %v", name, info, err)
					}
				}
			})
			if text, err := os.ReadFile(outside); err != nil || string(text) != "precious" {
				t.Errorf("the file outside: %q, %v", text, err)
			}
		})
	}
}

// TestRunFilesAreRead: nor does a command that looks for the agent, as root perhaps.
func TestRunFilesAreRead(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte(`{"pid": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"a link":   func(path string) error { return os.Symlink(elsewhere, path) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		dir := t.TempDir()
		if err := errors.Join(put(filepath.Join(dir, lockName)), put(filepath.Join(dir, StatusFile))); err != nil {
			t.Fatal(err)
		}
		inTime(t, func() {
			if _, err := Running(dir); err == nil || errors.Is(err, ErrNotRunning) {
				t.Errorf("%s as the lock file: %v", what, err)
			}
			if st, err := ReadStatus(dir); err == nil {
				t.Errorf("%s as the status file: %+v", what, st)
			}
			run, err := OpenRunDir(dir)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := run.hold(); err == nil {
				t.Errorf("%s is held", what)
			}
		})
	}
}

// inTime fails the test if f waits for somebody.
func inTime(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(waitLimit):
		t.Fatal("it waits for ever")
	}
}

// TestHoldIni: one agent for each ini, however the file is named or replaced.
func TestHoldIni(t *testing.T) {
	dir := t.TempDir()
	ini := filepath.Join(dir, "rpcapd.ini")
	link := filepath.Join(t.TempDir(), "link.ini")
	if err := errors.Join(os.WriteFile(ini, nil, 0o600), os.Symlink(ini, link), os.WriteFile(filepath.Join(dir, "two.ini"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	first := startHolder(t, "ini "+ini)
	if word := first.says(); word != "held" {
		t.Fatal(word)
	}
	refused := func(path string) {
		t.Helper()
		h := startHolder(t, "ini "+path)
		if word := h.says(); !strings.HasPrefix(word, fmt.Sprintf("%s: process %d already uses it", path, first.Process.Pid)) {
			t.Errorf("a second agent: %s", word)
		}
		h.end()
	}
	refused(ini)
	refused(link)
	replaced := filepath.Join(dir, "new")
	if err := errors.Join(os.WriteFile(replaced, nil, 0o600), os.Rename(replaced, ini)); err != nil {
		t.Fatal(err)
	}
	refused(ini)
	if other := startHolder(t, "ini "+filepath.Join(dir, "two.ini")); other.says() != "held" {
		t.Error("another ini of the same folder is not free")
	}
	first.Process.Kill()
	first.Wait()
	if next := startHolder(t, "ini "+ini); next.says() != "held" {
		t.Error("the ini of an agent that was killed is not free")
	}
}

// TestHoldIniAtOnce: of agents that start together one remains.
func TestHoldIniAtOnce(t *testing.T) {
	ini := filepath.Join(t.TempDir(), "rpcapd.ini")
	if err := os.WriteFile(ini, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var all []*holder
		for range 5 {
			all = append(all, startHolder(t, "ini "+ini))
		}
		var mu sync.Mutex
		var said []string
		var wg sync.WaitGroup
		for _, h := range all {
			wg.Go(func() {
				word := h.says()
				mu.Lock()
				defer mu.Unlock()
				said = append(said, word)
			})
		}
		wg.Wait()
		if n := strings.Count(strings.Join(said, "\n"), "held"); n != 1 {
			t.Errorf("%d hold it:\n%s", n, strings.Join(said, "\n"))
		}
		for _, h := range all {
			h.end()
		}
	}
}
