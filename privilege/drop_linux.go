package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	secbitNoRoot       = 1 << 0 // linux/securebits.h: uid 0 gains nothing by exec
	secbitNoRootLocked = 1 << 1
)

// HowToCapture says what an operator does about a missing right to capture.
func HowToCapture(program string) string {
	if InImage() {
		return "this container lacks CAP_NET_RAW, or its user is not root; with podman and docker: --cap-add=NET_RAW --user 0, " +
			"in Kubernetes: securityContext: {runAsUser: 0, capabilities: {drop: [ALL], add: [NET_RAW]}}"
	}
	return fmt.Sprintf("start rpcapd as root or give it CAP_NET_RAW (setcap cap_net_raw+ep %s; in a container --cap-add=NET_RAW)", program)
}

// Drop gives up everything but CAP_NET_RAW for the rest of the process's life. As
// root it becomes the user of the given name, or the first that exists of the
// fallbacks; a name that is given and does not exist is an error. Without root it
// only sheds other capabilities.
func Drop(name string, fallbacks ...string) (Result, error) {
	res := Result{UID: os.Geteuid()}
	had, err := permitted(unix.CAP_NET_RAW) // before setuid, which clears the effective set
	if err != nil {
		return res, err
	}
	res.NetRaw = had
	if !allThreads() {
		return dropByExec(name, fallbacks, res)
	}
	if res.UID == 0 {
		u, err := account(name, fallbacks)
		if err != nil {
			return res, err
		}
		note := func(step string, err error) {
			if err != nil {
				res.Skipped = append(res.Skipped, fmt.Sprintf("%s: %v", step, err))
			}
		}
		note("lock securebits", everyThread(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, secbitNoRoot|secbitNoRootLocked, 0))
		note("reduce bounding set", reduceBoundingSet())
		note("change user", become(u, &res))
	}
	if err := keepOnly(unix.CAP_NET_RAW, had); err != nil {
		return res, fmt.Errorf("drop capabilities: %w", err)
	}
	if err := everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return res, fmt.Errorf("forbid new privileges: %w", err)
	}
	return res, nil
}

// account finds whom to become; nil where only root exists.
func account(name string, fallbacks []string) (*user.User, error) {
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return nil, fmt.Errorf("drop privileges to user %q: %w", name, err)
		}
		return u, nil
	}
	for _, n := range fallbacks {
		if u, err := user.Lookup(n); err == nil {
			return u, nil
		}
	}
	return nil, nil
}

// become changes groups, gid and uid of all threads and keeps the capabilities.
func become(u *user.User, res *Result) error {
	if u == nil {
		return fmt.Errorf("no user to become")
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	if !mapped("/proc/self/uid_map", uid) || !mapped("/proc/self/gid_map", gid) {
		return fmt.Errorf("user namespace does not map %s (%d:%d)", u.Username, uid, gid)
	}
	if err := everyThread(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	if err := syscall.Setgroups(nil); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("gid %d: %w", gid, os.NewSyscallError("setresgid", err))
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("uid %d: %w", uid, os.NewSyscallError("setresuid", err))
	}
	res.User, res.UID = u.Username, uid
	return nil
}

// mapped says whether an id exists in the user namespace of the process
// (user_namespaces(7): lines of "inside outside length").
func mapped(path string, id int) bool {
	f, err := os.Open(path)
	if err != nil {
		return true // no user namespaces: every id exists
	}
	defer f.Close()
	for {
		var inside, outside, length int
		if _, err := fmt.Fscan(f, &inside, &outside, &length); err != nil {
			return false
		}
		if id >= inside && id-inside < length {
			return true
		}
	}
}

// reduceBoundingSet leaves NET_RAW only. The kernel ends the list with EINVAL.
func reduceBoundingSet() error {
	for c := uintptr(0); c < 64; c++ {
		if c == unix.CAP_NET_RAW {
			continue
		}
		if err := everyThread(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0); err != nil {
			if errors.Is(err, unix.EINVAL) && c > 0 {
				return nil
			}
			return err
		}
	}
	return nil
}

func permitted(cap uint) (bool, error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false, os.NewSyscallError("capget", err)
	}
	return data[cap/32].Permitted&(1<<(cap%32)) != 0, nil
}

// keepOnly sets the capabilities of all threads to one, or to none.
func keepOnly(cap uint, keep bool) error {
	hdr := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{}
	if keep {
		data[cap/32].Effective = 1 << (cap % 32)
		data[cap/32].Permitted = 1 << (cap % 32)
	}
	err := everyThread(unix.SYS_CAPSET, uintptr(unsafe.Pointer(hdr)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errors.Is(err, unix.EPERM) && has(data) { // a service manager has given no more than that, and forbids the call
		return everyThread(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0)
	}
	return err
}

// has says whether the process has just these permitted capabilities: its threads are
// all alike as long as no call has changed one of them.
func has(want *[2]unix.CapUserData) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	return data[0].Permitted == want[0].Permitted && data[1].Permitted == want[1].Permitted
}

// everyThread runs a system call on all threads; those that start later inherit
// what their parent has.
//
//go:uintptrescapes
func everyThread(trap, a1, a2, a3 uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall(trap, a1, a2, a3); errno != 0 {
		return os.NewSyscallError(callName(trap), errno)
	}
	return nil
}

// callName is a system call in the words of its manual page.
func callName(trap uintptr) string {
	switch trap {
	case unix.SYS_PRCTL:
		return "prctl"
	case unix.SYS_CAPSET:
		return "capset"
	case unix.SYS_SETGROUPS:
		return "setgroups"
	case unix.SYS_SETRESGID:
		return "setresgid"
	case unix.SYS_SETRESUID:
		return "setresuid"
	}
	return fmt.Sprintf("system call %d", trap)
}
