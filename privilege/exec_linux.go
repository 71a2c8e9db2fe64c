package privilege

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// execVariable marks the process that dropByExec has made.
const execVariable = "RPCAPD_PRIVILEGES_DROPPED"

// allThreads says whether a system call can be made on all threads: the Go runtime
// refuses it in a program that is linked with C code.
func allThreads() bool { return everyThread(unix.SYS_GETPID, 0, 0, 0) == nil }

// dropByExec is Drop for a program built with cgo: one thread gives its privileges
// up and executes the program again, which ends the other threads; CAP_NET_RAW
// passes as an ambient capability. The new process reads its files as the new user.
func dropByExec(name string, fallbacks []string, res Result) (Result, error) {
	if os.Getenv(execVariable) != "" || res.UID != 0 {
		_ = os.Unsetenv(execVariable) // fails only for names that no system allows
		return res, nil
	}
	u, err := account(name, fallbacks)
	if err != nil {
		return res, err
	}
	if u == nil {
		return res, errors.New("drop privileges: no user to become")
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if !mapped("/proc/self/uid_map", uid) || !mapped("/proc/self/gid_map", gid) {
		res.Skipped = append(res.Skipped, fmt.Sprintf("change user: user namespace does not map %s", u.Username))
		return res, nil
	}
	self, err := os.Executable()
	if err != nil {
		return res, fmt.Errorf("drop privileges: %w", err)
	}
	runtime.LockOSThread() // until exec: what follows holds for this thread only
	steps := []struct {
		what string
		do   func() error
	}{
		{"keep capabilities", func() error { return prctl(unix.PR_SET_KEEPCAPS, 1, 0) }},
		{"leave groups", func() error { return thread(unix.SYS_SETGROUPS, 0, 0, 0) }},
		{"change group", func() error { return thread(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)) }},
		{"change user", func() error { return thread(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)) }},
		{"set capabilities", keepForExec},
		{"raise ambient capability", func() error {
			return prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_RAW)
		}},
		{"forbid new privileges", func() error { return prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return res, fmt.Errorf("drop privileges: %s: %w", s.what, err)
		}
	}
	return res, fmt.Errorf("drop privileges: %w", os.NewSyscallError("execve", unix.Exec(self, os.Args, append(os.Environ(), execVariable+"=1"))))
}

// keepForExec leaves the thread CAP_NET_RAW, inheritable so that it may be ambient.
func keepForExec() error {
	const bit = 1 << unix.CAP_NET_RAW
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: bit, Permitted: bit, Inheritable: bit}}
	return os.NewSyscallError("capset", unix.Capset(&hdr, &data[0]))
}

func prctl(option int, a2, a3 uintptr) error {
	return os.NewSyscallError("prctl", unix.Prctl(option, a2, a3, 0, 0))
}

func thread(trap, a1, a2, a3 uintptr) error {
	if _, _, errno := unix.RawSyscall(trap, a1, a2, a3); errno != 0 {
		return os.NewSyscallError(callName(trap), errno)
	}
	return nil
}
