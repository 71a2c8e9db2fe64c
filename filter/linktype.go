package filter

import (
	"errors"
	"fmt"
)

// ErrLinkType says that own traffic cannot be told apart on a link type. The same
// call without endpoints works, and captures own traffic too.
var ErrLinkType = errors.New("own traffic cannot be recognized on this link type")

// Link types, as OPEN_REPLY carries them.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawLinux = 12 // DLT_RAW
	linkRaw      = 101
	linkLoop     = 108
	linkCooked   = 113 // LINUX_SLL
	linkIPv4     = 228
	linkIPv6     = 229
	linkCooked2  = 276 // LINUX_SLL2
)

// networkOffset is where the IP header begins on link types with a header of
// fixed length; its first four bits say which version it is.
func networkOffset(linkType uint32) (uint32, error) {
	switch linkType {
	case linkRawLinux, linkRaw, linkIPv4, linkIPv6:
		return 0, nil
	case linkNull, linkLoop:
		return 4, nil
	case linkCooked:
		return 16, nil
	case linkCooked2:
		return 20, nil
	}
	return 0, fmt.Errorf("%w: %d", ErrLinkType, linkType)
}
