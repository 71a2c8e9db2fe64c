package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// changesUser says that the agent gives up root, and perhaps the right to read its ini.
const changesUser = true

// unlinked says whether an open file has lost its last name.
func unlinked(f *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(f.Fd()), &st) != nil || st.Nlink == 0
}
