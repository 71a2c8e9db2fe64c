package netlab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// settle makes the namespaces usable: mounts of its own, a /run and a /sys that
// belong to them, the loopback interface up.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	os.Unsetenv("XDG_RUNTIME_DIR") // it was below /run
	mountSysfs()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback interface: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set loopback interface up: %w", err)
	}
	return nil
}

// mountSysfs shows the interfaces of the thread's network namespace in /sys, and
// keeps the control groups there. A sandbox may forbid the mount; /sys then shows
// the interfaces of another namespace.
func mountSysfs() {
	const groups = "/sys/fs/cgroup"
	old, err := unix.Open(groups, unix.O_PATH|unix.O_CLOEXEC, 0)
	if unix.Mount("sysfs", "/sys", "sysfs", 0, "") != nil || err != nil {
		return
	}
	defer unix.Close(old)
	_ = unix.Mount(fmt.Sprintf("/proc/thread-self/fd/%d", old), groups, "", unix.MS_BIND|unix.MS_REC, "")
}

// endOrphans kills what the namespaces' processes left behind. They are children of
// this process, which is their reaper.
func endOrphans() {
	for {
		for _, pid := range children() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		_, err := syscall.Wait4(-1, nil, 0, nil)
		if err != nil && err != syscall.EINTR {
			return
		}
	}
}

// children lists the processes whose parent is this one (proc(5), stat: the fourth
// field, after a name in parentheses).
func children() (list []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		stat, err := os.ReadFile(f)
		if err != nil {
			continue // it ended meanwhile
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err == nil && len(fields) > 1 && string(fields[1]) == strconv.Itoa(os.Getpid()) {
			list = append(list, pid)
		}
	}
	return list
}
