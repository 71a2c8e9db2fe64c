//go:build darwin || dragonfly || netbsd

package capture

import "golang.org/x/sys/unix"

func (d *bpfHandle) bothDirections() error {
	return d.setNumber(unix.BIOCSSEESENT, "BIOCSSEESENT", 1)
}
