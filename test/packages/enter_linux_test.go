package packages

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

const insideVariable = "TEST_PACKAGES_INSIDE"

// enter runs the tests again in a mount namespace of their own, so that no mount of
// theirs is seen, or left behind, outside. It returns the exit code of that run, or
// true inside.
func enter() (int, bool) {
	if os.Getenv("TEST_PACKAGES") != "1" || os.Geteuid() != 0 || os.Getenv(insideVariable) != "" {
		return 0, true
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a mount namespace:", err)
		return 1, false
	}
	return 0, false
}
