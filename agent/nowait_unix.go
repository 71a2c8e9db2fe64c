//go:build unix

package agent

import "golang.org/x/sys/unix"

// Others may write into the run directory, so what is opened there may have been put there by them.
const (
	// openNoWait keeps the opening of a pipe from waiting for its other end.
	openNoWait = unix.O_NONBLOCK
	// openNoFollow refuses a symbolic link, which could lead to any file.
	openNoFollow = unix.O_NOFOLLOW
)
