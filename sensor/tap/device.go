package tap

import "errors"

// device is an open TAP interface. One goroutine writes.
type device interface {
	write(frame []byte) error // errGone, errDown, or why this one frame is not taken
	raise(mtu int) error
	mtu() int
	drain() error   // returns when the interface is gone or closed, and throws away what the kernel sends until then
	guarded() error // nil: it is; else why not
	close() error
}

// Errors of a device.
var (
	errGone = errors.New("the interface was deleted")
	errDown = errors.New("the interface is down")

	errNoGuard = errors.New("no guard is wanted (Guard = no)")
)
