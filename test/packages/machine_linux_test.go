package packages

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/debian"
)

// bootLimit is how long a machine may take until systemd is ready (2 s where nothing else
// runs).
const bootLimit = time.Minute

// machines numbers the control groups.
var machines atomic.Int32

// newMachine boots a system with systemd as its process 1, in network, process, user-name and
// control group namespaces of its own. Commands of the system run inside from then on.
//
// systemd-nspawn is used without its registration, which would need a systemd outside:
// the test makes the control groups, and a private /run/systemd.
func newMachine(t *testing.T, suite string, extra ...string) *system {
	t.Helper()
	return boot(t, newSystem(t, suite, extra...))
}

// boot starts a system in which the test may have changed something.
func boot(t *testing.T, s *system) *system {
	t.Helper()
	name := fmt.Sprintf("rpcapd-test-%d-%d", os.Getpid(), machines.Add(1))
	groups := makeGroups(t, name)
	script := "mount -t tmpfs tmpfs /run/systemd\n"
	for _, g := range groups {
		script += "echo $$ >" + g + "/cgroup.procs\n"
	}
	script += "exec systemd-nspawn -D " + s.root + " --register=no --keep-unit --private-network --link-journal=no --machine=" + name + " -b </dev/null"
	var console bytes.Buffer
	cmd := exec.Command("bash", "-e", "-c", script)
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := os.MkdirAll("/run/systemd", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var leader int
	t.Cleanup(func() {
		if leader != 0 {
			_ = syscall.Kill(leader, syscall.SIGKILL) // all its processes end with it
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		removeGroups(groups)
	})
	deadline := time.Now().Add(bootLimit)
	for leader = 0; leader == 0; leader = child(cmd.Process.Pid) {
		if time.Now().After(deadline) {
			t.Fatalf("systemd-nspawn has not started a system:\n%s", debian.Tail(console.String()))
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.in = func(env []string, name string, args ...string) *exec.Cmd {
		cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(leader), "-m", "-p", "-n", "-u", "-i", "-C", name}, args...)...)
		cmd.Env = env
		return cmd
	}
	s.root = fmt.Sprintf("/proc/%d/root", leader) // with what is mounted in it
	s.leader = leader
	for {
		out, _ := s.try("systemctl is-system-running")
		if state := strings.TrimSpace(out); state == "running" || state == "degraded" {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("systemd is %q\n%s", out, debian.Tail(console.String()))
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// makeGroups makes the control groups of a machine: one in a unified hierarchy, two on a
// host that has both kinds.
func makeGroups(t *testing.T, name string) []string {
	t.Helper()
	parents := []string{"/sys/fs/cgroup"}
	if _, err := os.Stat("/sys/fs/cgroup/unified"); err == nil {
		parents = []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"}
	}
	var list []string
	for _, p := range parents {
		dir := filepath.Join(p, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatalf("make control group: %v", err)
		}
		list = append(list, dir)
	}
	return list
}

// removeGroups removes the groups that systemd has made within, the deepest first. The
// kernel needs a moment to see that the last process is gone.
func removeGroups(groups []string) {
	for range 50 {
		left := false
		for _, g := range groups {
			var dirs []string
			_ = filepath.WalkDir(g, func(path string, d os.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
			for i := len(dirs) - 1; i >= 0; i-- {
				left = os.Remove(dirs[i]) != nil || left
			}
		}
		if !left {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// child is the child of a process that is systemd already, 0 without one: before it,
// systemd-nspawn has helpers that come and go.
func child(pid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, word := range strings.Fields(string(data)) {
		if name, _ := os.ReadFile("/proc/" + word + "/comm"); strings.TrimSpace(string(name)) == "systemd" {
			n, _ := strconv.Atoi(word)
			return n
		}
	}
	return 0
}

// until repeats a command until its output has the word.
func (s *system) until(limit time.Duration, command, word string) string {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		out, _ := s.try(command)
		if strings.Contains(out, word) {
			return out
		}
		if time.Now().After(deadline) {
			log, _ := s.try("journalctl --no-pager -n 40")
			s.t.Fatalf("%s: %q did not come within %v, but\n%s\njournal:\n%s", command, word, limit, out, debian.Tail(log))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// property is one property of a unit.
func (s *system) property(unit, name string) string {
	s.t.Helper()
	return strings.TrimSpace(s.run("systemctl show --value -p " + name + " " + unit))
}
