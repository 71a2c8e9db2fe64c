package capture

import "errors"

// Open captures on an interface through a TPACKET_V3 ring.
func Open(o Options) (Source, error) { return nil, errors.ErrUnsupported }

// LinkType checks that an interface can be captured now, and tells its link type.
func LinkType(ifname string) (uint32, error) { return 0, errors.ErrUnsupported }
