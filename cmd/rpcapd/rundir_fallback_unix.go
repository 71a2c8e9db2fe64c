//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// runOfUsers has a folder for each user who is logged in (file-hierarchy(7)); sudo and cron do not set XDG_RUNTIME_DIR.
var runOfUsers = "/run/user"

// fallbackRunDir is the run directory of an ordinary user without XDG_RUNTIME_DIR, empty if somebody else has taken its
// place: in the folder for temporary files anybody can make one of that name.
func fallbackRunDir(uid int) string {
	if uid <= 0 {
		return ""
	}
	name := strconv.Itoa(uid)
	if dir := filepath.Join(runOfUsers, name); ownRunDir(dir, uid) {
		return filepath.Join(dir, "rpcapd")
	}
	dir := filepath.Join(os.TempDir(), "rpcapd-"+name)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) || ownRunDir(dir, uid) {
		return dir
	}
	return ""
}

// ownRunDir says that a folder is a user's and that no other can write there.
func ownRunDir(dir string, uid int) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == uid
}
