package windows

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/debian"
	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// machine is a computer with Windows, as wine knows it: a prefix of its own in a network namespace.
type machine struct {
	t    *testing.T
	ns   *netlab.Namespace
	root string // its system, as this process sees it
}

// newMachine prepares a machine. The namespace belongs to it alone: wine's server opens all sockets, in the namespace in which it
// was started. The repository is at Z:\repo and cannot be written.
func newMachine(t *testing.T, ns *netlab.Namespace) *machine {
	t.Helper()
	m := &machine{t: t, ns: ns, root: debian.Overlay(t, system(t))}
	m.mount("proc", "/proc", "proc", 0)
	ns.Must(func() error { return unix.Mount("sysfs", m.root+"/sys", "sysfs", 0, "") }) // shows the interfaces of the namespace
	m.mount("/dev", "/dev", "", unix.MS_BIND|unix.MS_REC)
	m.mount("tmpfs", "/run", "tmpfs", 0)
	m.share(repository(t), "/repo")
	t.Cleanup(m.kill)
	return m
}

func (m *machine) mount(source, target, kind string, flags uintptr) {
	m.t.Helper()
	if err := unix.Mount(source, m.root+target, kind, flags, ""); err != nil {
		m.t.Fatalf("mount %s: %v", target, err)
	}
}

// share shows a folder of this host in the machine, where it cannot be written: /x is Z:\x there.
func (m *machine) share(folder, target string) {
	m.t.Helper()
	if err := os.MkdirAll(m.root+target, 0o755); err != nil {
		m.t.Fatal(err)
	}
	m.mount(folder, target, "", unix.MS_BIND)
	m.mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY)
}

// kill ends everything that runs in the machine: services stay when the program has ended that started them.
func (m *machine) kill() {
	for limit := time.Now().Add(harness.Patience); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		roots, err := filepath.Glob("/proc/[0-9]*/root")
		if err != nil {
			panic(err) // the pattern is bad
		}
		left := 0
		for _, link := range roots {
			var pid int
			if to, err := os.Readlink(link); err != nil || to != m.root {
				continue // it has ended, or is none of ours
			}
			if _, err := fmt.Sscanf(link, "/proc/%d/", &pid); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				left++
			}
		}
		if left == 0 {
			return
		}
	}
	m.t.Error("programs of wine could not be killed")
}

// unix is the path on this host of one in the machine: C:\x, or Z:\x.
func (m *machine) unix(path string) string {
	m.t.Helper()
	drive, rest, ok := strings.Cut(path, `:\`)
	rest = strings.ReplaceAll(rest, `\`, "/")
	switch {
	case ok && drive == "C":
		return filepath.Join(m.root, prefix, "drive_c", rest)
	case ok && drive == "Z":
		return filepath.Join(m.root, rest)
	}
	m.t.Fatalf("no drive of the machine: %s", path)
	return ""
}

// write puts a text into a file of the machine.
func (m *machine) write(path, text string) {
	m.t.Helper()
	name := m.unix(path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// read returns the content of a file of the machine.
func (m *machine) read(path string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.unix(path))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}
