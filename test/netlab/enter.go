package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// insideVariable marks the second execution, in the namespaces.
const insideVariable = "NETLAB_INSIDE"

// Inside says whether the process runs in namespaces of its own.
func Inside() bool { return os.Getenv(insideVariable) == "1" }

// Main is the body of a TestMain. Where namespaces cannot be made the tests run all
// the same, and those that call New skip with the reason (or fail, with
// REQUIRE_ROOT=1 in the environment).
func Main(m *testing.M) {
	if err := Enter(); err != nil {
		reason = err
	}
	os.Exit(m.Run())
}

// reason is why there are no namespaces.
var reason error

// Enter executes the program again in namespaces and exits with its status. It
// returns nil inside, and an error that says what to do where it cannot.
func Enter() error {
	if Inside() {
		return settle()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		signal.Stop(interrupts)
		return fmt.Errorf("this kernel lets ordinary users make no namespaces (%w): use sudo", err)
	}
	go func() {
		for s := range interrupts {
			cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	var status *exec.ExitError
	if errors.As(err, &status) {
		if code := status.ExitCode(); code >= 0 {
			os.Exit(code)
		}
		os.Exit(1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
	return nil
}

// settle makes the namespaces usable: mounts of its own, a /run and a /sys that
// belong to them, the loopback interface up.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	// /sys of the old namespace would show the machine's interfaces. A sandbox may
	// forbid the mount; what reads /sys then sees less.
	_ = unix.Mount("sysfs", "/sys", "sysfs", 0, "")
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback interface: %w", err)
	}
	return netlink.LinkSetUp(lo)
}

// Require skips a test that needs namespaces and has none, or fails it where they
// are required.
func Require(t testing.TB) {
	t.Helper()
	if Inside() && reason == nil {
		return
	}
	why := "namespaces are needed: TestMain must call netlab.Main"
	if reason != nil {
		why = reason.Error()
	}
	if on, _ := strconv.ParseBool(strings.TrimSpace(os.Getenv("REQUIRE_ROOT"))); on {
		t.Fatal(why)
	}
	t.Skip(why)
}
