package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// saidFD is where the process in the namespaces tells why it cannot hide anything; it closes it before the command runs.
const saidFD = 3

// inside hides the machine's files and runs the command.
func inside(room string, words []string) int {
	syscall.CloseOnExec(saidFD)
	said := os.NewFile(saidFD, "said")
	env := cleanEnvironment(os.Environ())
	var users string
	if room != "-" {
		users = fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", userName, userID, userID, room)
	}
	err := hide(users)
	if err == nil && room != "-" {
		env, err = furnish(room, env)
	}
	if err != nil {
		fmt.Fprint(said, err)
		return exitNotHidden
	}
	said.Close()
	// A child gets the capabilities of the thread that makes it.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "fresh: drop capabilities:", err)
		return exitNotHidden
	}
	cmd := command(words, env)
	if room != "-" {
		cmd.Dir = room + "/source"
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: userID, Gid: userID}
	}
	return wait(cmd)
}

// managed are variables that a service manager or a login sets for one process, or that our programs read: with them a
// test would see the machine that it runs on.
var managed = []string{
	"INVOCATION_ID", "JOURNAL_STREAM", "NOTIFY_SOCKET", "SYSTEMD_EXEC_PID", "WATCHDOG_PID", "WATCHDOG_USEC",
	"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "LOGS_DIRECTORY", "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY",
	"XDG_RUNTIME_DIR", insideVariable,
}

func cleanEnvironment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(managed, name) || strings.HasPrefix(name, "RPCAP")
	})
}
