//go:build !linux

package host

import (
	"errors"

	"rpcapd/doctor"
)

// Clock is what the kernel says of the synchronization of its clock.
func Clock() doctor.Result { return clockResult(false, errors.ErrUnsupported) }
