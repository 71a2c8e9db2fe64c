//go:build unix

package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// prepareRunDir makes the run directory while the process is still root, and gives
// it to the user that it is about to become. A directory that somebody else made is
// left as it is, but for the default one. The group stays root's and may write, for
// a process that cannot change its user.
func prepareRunDir(dir, name string) error {
	if dir == "" || os.Geteuid() != 0 {
		return nil
	}
	err := os.Mkdir(dir, 0o775)
	if err != nil && (!os.IsExist(err) || dir != defaultRunDir()) {
		return ignoreExisting(err)
	}
	u := becoming(name)
	if u == nil {
		return nil
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	if err := giveDir(dir, uid); err != nil {
		return fmt.Errorf("give run directory to %s: %w", u.Username, err)
	}
	return nil
}

// giveDir changes the owner of a directory. Files within are taken along only while
// the directory is root's: later on, a link in it could lead to any file.
func giveDir(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := os.Lchown(filepath.Join(dir, e.Name()), uid, 0); err != nil {
				return err
			}
		}
	}
	if err := os.Chmod(dir, 0o775); err != nil { // whatever the umask
		return err
	}
	return os.Lchown(dir, uid, 0)
}

func ignoreExisting(err error) error {
	if os.IsExist(err) {
		return nil
	}
	return fmt.Errorf("make run directory: %w", err)
}

// becoming is the user that the process will be, nil if it stays root.
func becoming(name string) *user.User {
	names := fallbackUsers
	if name != "" {
		names = []string{name}
	}
	for _, n := range names {
		if u, err := user.Lookup(n); err == nil {
			return u
		}
	}
	return nil
}
