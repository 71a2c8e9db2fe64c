//go:build unix

package agent

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// The locks are those of POSIX (fcntl(2)), because the kernel names the process that holds one, which no file can be
// trusted to do. They go with the process, and when it closes any descriptor of the same file: the agent opens what it
// has locked only once.

// wholeFile is a range of a lock; a length of 0 has no end.
var wholeFile = unix.Flock_t{Whence: io.SeekStart}

// lockFile takes a file for this process.
func lockFile(f *os.File) error {
	l := wholeFile
	l.Type = unix.F_WRLCK
	return unix.FcntlFlock(f.Fd(), unix.F_SETLK, &l)
}

// lockHolder is the other process that holds a lock on a range of a file. Its number is 0 if it cannot be named from
// here: it runs in another PID namespace.
func lockHolder(f *os.File, within unix.Flock_t) (pid int, held bool, err error) {
	within.Type = unix.F_WRLCK // which any other lock is in the way of
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &within); err != nil {
		return 0, false, err
	}
	return int(within.Pid), within.Type != unix.F_UNLCK, nil
}

// fileHolder is the process that lockFile has locked a file for.
func fileHolder(f *os.File) (pid int, held bool, err error) { return lockHolder(f, wholeFile) }
