//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// HowToCapture says what an operator does about a missing right to capture.
func HowToCapture(string) string {
	return "start rpcapd as root, or give its user the right to read /dev/bpf (docs/SYSTEMS.md)"
}

// Drop becomes another user for the rest of the process's life: the user of the given name, or the first that exists of the
// fallbacks. The right to capture is that to read /dev/bpf, which the agent opens for each capture. So it
// becomes only a user who has it: one that is named and has not is an error, and instead of a fallback that has not the process
// stays root, and says so. Without root it changes nothing.
func Drop(name string, fallbacks ...string) (Result, error) {
	res := Result{UID: os.Geteuid(), NetRaw: true}
	device, err := captureDevice()
	if err != nil {
		res.NetRaw = false
		res.Skipped = append(res.Skipped, fmt.Sprintf("find the capture device: %v", err))
	}
	if res.UID != 0 {
		gids, err := os.Getgroups()
		if err != nil {
			return res, os.NewSyscallError("getgroups", err)
		}
		res.NetRaw = res.NetRaw && device.readable(res.UID, append(gids, os.Getegid()))
		return res, nil
	}
	u, err := account(name, fallbacks)
	if err != nil {
		return res, err
	}
	if u == nil {
		res.Skipped = append(res.Skipped, "change user: no user to become; make one named rpcapd (docs/SYSTEMS.md)")
		return res, nil
	}
	uid, gids, err := numbers(u)
	if err != nil {
		return res, fmt.Errorf("drop privileges to user %q: %w", u.Username, err)
	}
	if res.NetRaw && !device.readable(uid, gids) {
		text := fmt.Sprintf("user %s cannot read the capture devices: give them a group that the user is in (docs/SYSTEMS.md)", u.Username)
		if name != "" {
			return res, fmt.Errorf("drop privileges: %s", text)
		}
		res.Skipped = append(res.Skipped, "change user: "+text)
		return res, nil
	}
	if err := become(uid, gids); err != nil {
		return res, fmt.Errorf("drop privileges to user %q: %w", u.Username, err)
	}
	res.User, res.UID = u.Username, uid
	return res, nil
}

// captureDevice is /dev/bpf, or the first of the numbered ones.
func captureDevice() (owned, error) {
	for _, path := range []string{"/dev/bpf", "/dev/bpf0"} {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return owned{}, err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return owned{mode: info.Mode(), uid: int(st.Uid), gid: int(st.Gid)}, nil
		}
	}
	return owned{}, errors.New("there is neither /dev/bpf nor /dev/bpf0")
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

// numbers are the user and its groups, the primary one first.
func numbers(u *user.User) (uid int, gids []int, err error) {
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, nil, err
	}
	list, err := u.GroupIds()
	if err != nil {
		list = nil // the primary group is known all the same
	}
	for _, text := range append([]string{u.Gid}, list...) {
		gid, err := strconv.Atoi(text)
		if err != nil {
			return 0, nil, err
		}
		if !slices.Contains(gids, gid) {
			gids = append(gids, gid)
		}
	}
	return uid, gids[:min(len(gids), maxGroups)], nil
}

// maxGroups is the least that a system allows (NGROUPS_MAX: 16 on OpenBSD, NetBSD, DragonFly and macOS).
const maxGroups = 16

// become changes groups, gid and uid, in this order: as another user it could no longer change the others. On these systems
// they belong to the process, and not to its threads.
func become(uid int, gids []int) error {
	if err := syscall.Setgroups(gids); err != nil {
		return os.NewSyscallError("setgroups", err)
	}
	if err := syscall.Setgid(gids[0]); err != nil {
		return os.NewSyscallError("setgid", err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return os.NewSyscallError("setuid", err)
	}
	if uid != 0 && syscall.Setuid(0) == nil {
		return errors.New("the process could become root again")
	}
	return nil
}
