package packages

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/test/debian"
)

// suites are the systems that packages are installed on: systemd 252 and 257.
var suites = []string{"bookworm", "trixie"}

// stepLimit ends a command that hangs, as one that waits for an answer would.
const stepLimit = 2 * time.Minute

// base returns a base system, made by the first test that asks for it. Extra packages
// make a system of its own.
func base(t *testing.T, suite string, extra ...string) string {
	t.Helper()
	packages := append([]string{"systemd", "systemd-sysv", "iproute2"}, extra...)
	if slices.Contains(extra, "sysvinit-core") {
		packages = extra // instead of systemd
	}
	system := debian.System{Name: strings.Join(append([]string{suite}, extra...), "-"), Suite: suite, Packages: packages}
	root, err := system.Make(func(what string) { t.Log(what) })
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// system is a system of its own: a copy on write of a base.
type system struct {
	t      *testing.T
	root   string
	leader int                                                       // process 1 of a machine that was booted
	in     func(env []string, name string, args ...string) *exec.Cmd // makes a command that runs in it
}

// newSystem mounts an overlay. Commands run in it with nothing else running: as in a
// container image, or before the first boot.
func newSystem(t *testing.T, suite string, extra ...string) *system {
	t.Helper()
	full(t)
	root := debian.Overlay(t, base(t, suite, extra...))
	s := &system{t: t, root: root}
	s.in = func(env []string, name string, args ...string) *exec.Cmd {
		cmd := exec.Command("unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "--root=" + root, "--mount-proc", name}, args...)...)
		cmd.Env = env
		return cmd
	}
	return s
}

// environment of all commands: no terminal, no locale, nothing to ask.
func environment(more ...string) []string {
	return append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "TERM=dumb"}, more...)
}

// try runs a shell command in the system and returns what it prints, with its status.
func (s *system) try(command string, env ...string) (string, int) {
	s.t.Helper()
	cmd := s.in(environment(env...), "sh", "-c", command)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out // standard input is /dev/null: a question would get no answer
	timer := time.AfterFunc(stepLimit, func() { _ = cmd.Process.Kill() })
	cmd.WaitDelay = 5 * time.Second // a daemon may keep the pipe
	err := cmd.Run()
	timer.Stop()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatalf("%s: %v", command, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// run is try for what must succeed.
func (s *system) run(command string, env ...string) string {
	s.t.Helper()
	out, code := s.try(command, env...)
	if code != 0 {
		s.t.Fatalf("%s: status %d\n%s", command, code, out)
	}
	return out
}

// wants runs a command and checks that its output has the words.
func (s *system) wants(command string, words ...string) string {
	s.t.Helper()
	out := s.run(command)
	for _, w := range words {
		if !strings.Contains(out, w) {
			s.t.Errorf("%s: %q is missing in\n%s", command, w, out)
		}
	}
	return out
}

// put copies a file of the host into the system.
func (s *system) put(from, to string) {
	s.t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(to, string(data), 0o644)
}

func (s *system) write(path, text string, mode os.FileMode) {
	s.t.Helper()
	path = filepath.Join(s.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		s.t.Fatal(err)
	}
}

// edit replaces the text of a file that exists, and leaves owner and mode.
func (s *system) edit(path, text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.root, path), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) read(path string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func (s *system) exists(path string) bool {
	_, err := os.Lstat(filepath.Join(s.root, path))
	return err == nil
}
