package host

import (
	"golang.org/x/sys/unix"

	"rpcapd/doctor"
)

// Clock is what the kernel says of the synchronization of its clock.
func Clock() doctor.Result {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return clockResult(state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0, err)
}
