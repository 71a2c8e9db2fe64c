package netlab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// stageVariable tells a further execution of the program what it is.
const stageVariable = "NETLAB_STAGE"

// The program runs three times, one the parent of the next:
//
//	(first)  waits, and passes signals on
//	init     process 1 of the namespaces: makes them usable, reaps; all end with it
//	inside   the program itself
const (
	stageInit   = "init"
	stageInside = "inside"
)

// reportFD is where init tells the first process that it could not do its work.
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
	switch os.Getenv(stageVariable) {
	case stageInit:
		os.Exit(initProcess())
	case stageInside:
		_ = os.Unsetenv(stageVariable) // a program that is started from here makes its own
		settled = true
		return nil
	}
	// The child is killed when the thread ends that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	report, childReport, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	pid, err := execute(stageInit, attributes(), childReport)
	childReport.Close()
	if err == nil {
		signals := forwardSignals(pid)
		why, _ := io.ReadAll(io.LimitReader(report, 4096))
		if status := waitFor(pid); len(why) == 0 {
			os.Exit(exitCode(status))
		}
		signal.Stop(signals)
		err = errors.New(string(why))
	}
	return fmt.Errorf("make network namespaces: %w: %s", err, cure())
}

func attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
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

// execute runs this program again, with the same arguments.
func execute(stage string, attr *syscall.SysProcAttr, extra ...*os.File) (pid int, err error) {
	files := []uintptr{0, 1, 2}
	for _, f := range extra {
		files = append(files, f.Fd())
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, stageVariable+"=") })
	return syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env: append(env, stageVariable+"="+stage), Files: files, Sys: attr,
	})
}

// initProcess settles and runs the program. The kernel kills what is left in the
// namespaces when it returns.
func initProcess() int {
	syscall.CloseOnExec(reportFD)
	report := os.NewFile(reportFD, "report")
	err := settle()
	var pid int
	if err == nil {
		pid, err = execute(stageInside, nil)
	}
	if err != nil {
		_, _ = report.WriteString(err.Error()) // the exit code says it too
		return 1
	}
	report.Close()
	forwardSignals(pid)
	return exitCode(waitFor(pid))
}

func forwardSignals(pid int) chan<- os.Signal {
	c := make(chan os.Signal, 4)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	go func() {
		for s := range c {
			_ = syscall.Kill(pid, s.(syscall.Signal))
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
