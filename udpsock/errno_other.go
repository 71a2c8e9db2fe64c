//go:build !linux && !windows

package udpsock

import "syscall"

const errTooLong = syscall.EMSGSIZE

// unreachable are the errors that ICMP or the routing table can cause.
var unreachable = []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN}
