//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"rpcapd/agent"
)

// prepareRunDir makes the run directory while the process is still root, and gives
// it to the user that it is about to become. Of the directories that somebody else
// made it takes the default one, and those that hold nothing but status files. The group stays root's and may write, for
// a process that cannot change its user.
func prepareRunDir(dir, name string) error {
	if dir == "" || os.Geteuid() != 0 {
		return nil
	}
	err := os.Mkdir(dir, 0o775)
	if err != nil && (!os.IsExist(err) || dir != defaultRunDir() && !onlyStatus(dir)) {
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
	if err := giveDir(dir, uid); errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM) {
		return nil // a user namespace without that user, a container without the right: nobody will be become either
	} else if err != nil {
		return fmt.Errorf("give run directory to %s: %w", u.Username, err)
	}
	return nil
}

// onlyStatus says that a directory is root's alone and holds nothing but what an
// agent puts there: giving it away gives away nothing else.
func onlyStatus(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 {
		return false
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if !slices.Contains(agent.RunFiles, e.Name()) || !e.Type().IsRegular() {
			return false
		}
	}
	return true
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
