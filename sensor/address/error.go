package address

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ListenError says why a port cannot be opened, and what helps. what is what was tried, such as "listen on TCP port 2003".
func ListenError(what string, at netip.AddrPort, err error) error {
	cause := err
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		cause = errno // without the address again
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w: another program has port %d (ss -lntup tells which); end it, or take another port", what, cause, at.Port())
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%s: %w: ports below 1024 need CAP_NET_BIND_SERVICE; take one from 1024 on", what, cause)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %w: no interface of this machine has %s; take an address that it has (ip address), or none for all", what, cause, at.Addr())
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%s: %w: IPv6 is off on this machine; take an IPv4 address", what, cause)
	}
	return fmt.Errorf("%s: %w", what, cause)
}
