//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package capture

import (
	"errors"
	"fmt"
)

// Open captures on an interface. On this system it cannot yet:
// errors.ErrUnsupported. OpenFile works everywhere.
func Open(o Options) (Source, error) {
	return nil, opError("open", o.Interface, fmt.Errorf("capture on this system: %w", errors.ErrUnsupported))
}

// LinkType tells the link type of an interface; on this system
// errors.ErrUnsupported.
func LinkType(ifname string) (uint32, error) {
	return 0, opError("open", ifname, fmt.Errorf("capture on this system: %w", errors.ErrUnsupported))
}
