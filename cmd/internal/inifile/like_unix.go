//go:build unix

package inifile

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// likeOld gives a file the owner and mode of the one that it will replace. If there is none, it is for root and the group.
func likeOld(f *os.File, path, group string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if g, err := user.LookupGroup(group); err == nil && os.Geteuid() == 0 {
			gid, err := strconv.Atoi(g.Gid)
			if err != nil {
				return err
			}
			if err := f.Chown(0, gid); err != nil {
				return err
			}
		}
		return f.Chmod(0o640)
	}
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && (int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid()) {
		if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(info.Mode().Perm())
}
