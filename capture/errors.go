package capture

import "net"

// opError is how an operation on an interface fails.
func opError(op, ifname string, err error) error {
	return &net.OpError{Op: op, Net: "packet", Addr: interfaceAddr(ifname), Err: err}
}

// interfaceAddr is the name of an interface as an address.
type interfaceAddr string

func (interfaceAddr) Network() string  { return "packet" }
func (a interfaceAddr) String() string { return string(a) }
