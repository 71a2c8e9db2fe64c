//go:build unix

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes a file for this process (flock(2)); the kernel gives it back
// however the process ends.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// lockedByOther says whether another process holds the lock of lockFile.
func lockedByOther(f *os.File) bool {
	if unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil {
		return true
	}
	_ = unix.Flock(int(f.Fd()), unix.LOCK_UN) // it goes with the descriptor anyway
	return false
}
