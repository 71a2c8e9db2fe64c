//go:build unix

package openflag

import "golang.org/x/sys/unix"

const (
	// NoWait keeps the opening of a pipe from waiting for its other end.
	NoWait = unix.O_NONBLOCK
	// NoFollow refuses a symbolic link.
	NoFollow = unix.O_NOFOLLOW
)
