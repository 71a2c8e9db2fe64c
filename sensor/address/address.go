package address

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// Network is "tcp" or "udp" for the unspecified IPv6 address, that is both families, else the address's own.
func Network(proto string, addr netip.Addr) string {
	switch {
	case addr == netip.IPv6Unspecified() || !addr.IsValid():
		return proto
	case addr.Unmap().Is4():
		return proto + "4"
	}
	return proto + "6"
}

// Listen is the address as net.Listen takes it.
func Listen(addr netip.AddrPort) string {
	if a := addr.Addr(); a == netip.IPv6Unspecified() || !a.IsValid() {
		return ":" + strconv.Itoa(int(addr.Port()))
	}
	return addr.String()
}

// Plain is an address without zone and without the IPv4-in-IPv6 form, fit to be compared.
func Plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// OfTCP is the address of a TCP endpoint in comparable form.
func OfTCP(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(Plain(ap.Addr()), ap.Port())
	}
	return netip.AddrPort{}
}

// InUse reports whether an error says that another program has the port.
func InUse(err error) bool { return errors.Is(err, errInUse) }

// NoIPv6 reports whether an error of the unspecified IPv6 address says that this machine has no IPv6.
func NoIPv6(err error) bool { return errors.Is(err, errNoFamily) || errors.Is(err, errNotHere) }

// ListenError says why a port cannot be opened, and what helps. what is what was tried, such as "listen on TCP port 2003".
func ListenError(what string, at netip.AddrPort, err error) error {
	cause := err
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		cause = errno // without the address again
	}
	switch {
	case InUse(err):
		return fmt.Errorf("%s: %w: another program has port %d (%s tells which); end it, or take another port", what, cause, at.Port(), showPorts)
	case errors.Is(err, errDenied), errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%s: %w: %s", what, cause, deniedCure)
	case errors.Is(err, errNotHere):
		return fmt.Errorf("%s: %w: no interface of this machine has %s; take an address that it has (%s), or none for all", what, cause, at.Addr(), showAddresses)
	case errors.Is(err, errNoFamily):
		return fmt.Errorf("%s: %w: IPv6 is off on this machine; take an IPv4 address", what, cause)
	}
	return fmt.Errorf("%s: %w", what, cause)
}
