package udpsock

import (
	"errors"

	"golang.org/x/sys/windows"
)

// unreachable are the errors that ICMP or the routing table can cause.
var unreachable = []error{windows.WSAECONNREFUSED, windows.WSAECONNRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH,
	windows.WSAENETDOWN, windows.WSAENETRESET}

func isUnreachable(err error) bool {
	for _, e := range unreachable {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
