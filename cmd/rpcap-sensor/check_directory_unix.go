//go:build unix

package main

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayWrite asks the system whether this process may write to a file, or make files in a directory.
func mayWrite(path string) error {
	mode := uint32(unix.W_OK)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		mode |= unix.X_OK
	}
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}

// serviceMayWrite goes by owners and modes. It is true if this process is not root's, or if there is no such user: then
// the sensor is not a service here.
func serviceMayWrite(name, path string, info fs.FileInfo) bool {
	if os.Geteuid() != 0 {
		return true
	}
	u, err := user.Lookup(name)
	if err != nil {
		return true
	}
	groups, err := u.GroupIds()
	if err != nil {
		return true
	}
	want := fs.FileMode(2)
	if info.IsDir() {
		want = 3
	}
	if !permits(info, u.Uid, groups, want) {
		return false
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return true
	}
	for dir := filepath.Dir(full); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !permits(info, u.Uid, groups, 1) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// permits looks at the three mode bits that count for a user.
func permits(info fs.FileInfo, uid string, groups []string, want fs.FileMode) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case strconv.FormatUint(uint64(owner.Uid), 10) == uid:
		mode >>= 6
	case slices.Contains(groups, strconv.FormatUint(uint64(owner.Gid), 10)):
		mode >>= 3
	}
	return mode&want == want
}
