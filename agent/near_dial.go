package agent

import (
	"net"
	"net/netip"
	"sync"
	"syscall"

	"rpcapd/udpsock"
)

// nearDial excludes the near ends of the attempts of one dial before each connects.
type nearDial struct {
	e     *exclusions
	mu    sync.Mutex // attempts may run beside each other
	tried []near
}

func (e *exclusions) dialing() *nearDial { return &nearDial{e: e} }

// control is for net.Dialer. Where the port cannot be chosen beforehand, done learns it.
func (d *nearDial) control(network, address string, c syscall.RawConn) error {
	if err := setUserTimeout(network, address, c); err != nil {
		return err
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	port, source := bindPort(to.Addr(), c), sourceAddr(to)
	if port == 0 || !source.IsValid() {
		return nil
	}
	n := near{local: netip.AddrPortFrom(source, port), tcp: true}
	d.mu.Lock()
	d.tried = append(d.tried, n)
	d.mu.Unlock()
	d.e.begin(n)
	return nil
}

// done returns the near end of the connection, if there is one, and lets the others go.
func (d *nearDial) done(conn net.Conn) near {
	var used near
	if conn != nil {
		if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
			ap := a.AddrPort()
			used = near{local: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), tcp: true}
			d.e.begin(used)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.tried {
		if n != used {
			d.e.drop(n)
		}
	}
	return used
}

// sourceAddr is the address that this host sends from to another: a UDP socket that is
// connected tells, and sends nothing. It is the zero value if there is no way.
func sourceAddr(to netip.AddrPort) netip.Addr {
	s, err := udpsock.Dial(to, udpsock.Options{GSO: udpsock.Off})
	if err != nil {
		return netip.Addr{}
	}
	defer s.Close() // nothing was sent
	return s.LocalAddr().Addr()
}
