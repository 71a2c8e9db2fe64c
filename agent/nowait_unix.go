//go:build unix

package agent

import "golang.org/x/sys/unix"

// openNoWait keeps the opening of a pipe from waiting for its other end.
const openNoWait = unix.O_NONBLOCK
