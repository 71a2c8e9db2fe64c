//go:build !linux

package capture

import (
	"errors"
	"fmt"
)

// Open captures on an interface. On this system it cannot yet:
// errors.ErrUnsupported. OpenFile works everywhere.
func Open(o Options) (Source, error) {
	return nil, fmt.Errorf("open %s: capture on this system: %w", o.Interface, errors.ErrUnsupported)
}

// LinkType tells the link type of an interface; on this system
// errors.ErrUnsupported.
func LinkType(ifname string) (uint32, error) {
	return 0, fmt.Errorf("open %s: capture on this system: %w", ifname, errors.ErrUnsupported)
}
