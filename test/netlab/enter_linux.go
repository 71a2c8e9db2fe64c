package netlab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideVariable marks the second execution, in the namespaces.
const insideVariable = "NETLAB_INSIDE"

// reportFD is where the second execution tells the first that it could not settle.
const reportFD = 3

// fuzzWorker marks a process that go test starts for fuzzing. It talks through pipes
// that a further execution would lose, and inherits the namespaces anyway.
const fuzzWorker = "-test.fuzzworker"

// settled says that this process runs in namespaces of its own; reason, why it does not.
var (
	settled bool
	reason  error
)

// Inside says whether the process runs in namespaces of its own.
func Inside() bool { return settled }

// Main is the body of a TestMain. Where namespaces cannot be made the tests run all
// the same, and those that call New or Require skip with the reason (or fail, with
// REQUIRE_ROOT=1 in the environment).
func Main(m *testing.M) {
	if !slices.Contains(os.Args, fuzzWorker) {
		reason = Enter()
	}
	os.Exit(m.Run())
}

// Enter executes the program again in namespaces and exits with its status. It
// returns nil inside, and an error that says what to do where that is impossible;
// then the process is as it was. Call it before anything else.
func Enter() error {
	if os.Getenv(insideVariable) == "1" {
		return arrive()
	}
	// The child is killed when the thread ends that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// What the child leaves behind becomes ours, to be ended.
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	report, childReport, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env:   append(os.Environ(), insideVariable+"=1"),
		Files: []uintptr{0, 1, 2, reportFD: childReport.Fd()},
		Sys:   attributes(),
	})
	childReport.Close()
	if err == nil {
		signals := forwardSignals(pid)
		why, _ := io.ReadAll(io.LimitReader(report, 4096))
		if status := waitFor(pid); len(why) == 0 {
			endOrphans()
			os.Exit(exitCode(status))
		}
		signal.Stop(signals)
		err = errors.New(string(why))
	}
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	return fmt.Errorf("make network namespaces: %w: %s", err, cure())
}

func attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}

func cure() string {
	if os.Geteuid() == 0 {
		return "this root lacks CAP_SYS_ADMIN or CAP_NET_ADMIN, as in most containers"
	}
	return "ordinary users may not do that here, use sudo"
}

// arrive is what the second execution does first.
func arrive() error {
	report := os.NewFile(reportFD, "report")
	defer report.Close()
	if err := settle(); err != nil {
		report.WriteString(err.Error())
		os.Exit(1)
	}
	os.Unsetenv(insideVariable) // a program that is started from here makes its own
	settled = true
	return nil
}

func forwardSignals(pid int) chan<- os.Signal {
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	go func() {
		for s := range c {
			syscall.Kill(pid, s.(syscall.Signal))
		}
	}()
	return c
}

// waitFor reaps children until one has ended.
func waitFor(pid int) (status syscall.WaitStatus) {
	for {
		got, err := syscall.Wait4(-1, &status, 0, nil)
		if got == pid || err != nil && !errors.Is(err, syscall.EINTR) {
			return status
		}
	}
}

func exitCode(status syscall.WaitStatus) int {
	if status.Exited() {
		return status.ExitStatus()
	}
	return 128 + int(status.Signal())
}
