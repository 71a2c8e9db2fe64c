//go:build !windows

package address

import "syscall"

// What listening on a port can fail with.
const (
	errInUse    = syscall.EADDRINUSE
	errDenied   = syscall.EACCES
	errNotHere  = syscall.EADDRNOTAVAIL
	errNoFamily = syscall.EAFNOSUPPORT
)

// What helps.
const (
	showPorts     = "ss -lntup"
	showAddresses = "ip address"
	deniedCure    = "ports below 1024 need CAP_NET_BIND_SERVICE; take one from 1024 on"
)
