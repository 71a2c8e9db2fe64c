package netlab

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// settle makes the namespaces usable: mounts of their own, a /run, a /proc and a /sys
// that belong to them, the loopback interface up.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	_ = os.Unsetenv("XDG_RUNTIME_DIR") // it was below /run
	// The old /proc knows the processes by other numbers. A sandbox that hides parts of
	// it forbids the mount; /proc/self is right all the same.
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
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
