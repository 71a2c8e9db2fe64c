package udpsock

import "golang.org/x/sys/windows"

const errTooLong = windows.WSAEMSGSIZE

// unreachable are the errors that ICMP or the routing table can cause.
var unreachable = []error{windows.WSAECONNREFUSED, windows.WSAECONNRESET, windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH,
	windows.WSAENETDOWN, windows.WSAENETRESET}
