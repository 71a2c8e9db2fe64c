package debian

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// System is a Debian system to make.
type System struct {
	Name     string // of its folder
	Suite    string
	Packages []string                // beside the essential ones
	Finish   func(root string) error // what it needs beside packages; may be nil
}

// Make returns the folder of the system. Where there is none yet it is made, which note tells.
func (s System) Make(note func(string)) (string, error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("make a system of Debian %s: needs root", s.Suite)
	}
	dir, err := cache()
	if err != nil {
		return "", err
	}
	root := filepath.Join(dir, s.Name)
	lock, err := os.OpenFile(root+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // frees it
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(filepath.Join(root, ".done")); err == nil {
		return root, nil
	}
	note("making " + root + " (one to three minutes)")
	if err := s.make(root + ".tmp"); err != nil {
		return "", fmt.Errorf("make a system of Debian %s: %w", s.Suite, err)
	}
	return root, os.Rename(root+".tmp", root)
}

// cache is the folder of the systems.
func cache() (string, error) {
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".cache")
	}
	dir = filepath.Join(dir, "rpcapd-test")
	return dir, os.MkdirAll(dir, 0o755)
}

func (s System) make(root string) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	cmd := exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(s.Packages, ","), s.Suite, root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // what it mounts goes with it
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("debootstrap: %w\n%s", err, Tail(string(out)))
	}
	if s.Finish != nil {
		if err := s.Finish(root); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(root, ".done"), nil, 0o644)
}

// Tail is the end of a long text.
func Tail(s string) string {
	const most = 2000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
