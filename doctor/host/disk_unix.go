//go:build linux || darwin || freebsd

package host

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// space is what a user who is not root may use.
func space(dir string) (free, total, inodes uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, 0, os.NewSyscallError("statfs", err)
	}
	inodes = uint64(s.Ffree)
	if s.Files == 0 { // file systems without a number of their own
		inodes = 1
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), inodes, nil
}

// ownerOf is the number of a file's owner.
func ownerOf(info fs.FileInfo) (uid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}
