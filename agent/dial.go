package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// connect resolves the sensor, keeps its addresses out of every capture, and
// dials them.
func (x *session) connect(ctx context.Context) (net.Conn, error) {
	addrs, err := x.resolve(ctx)
	if err != nil {
		return nil, err
	}
	x.agent.exclusions.set(x, ownTraffic{addrs: addrs, control: x.target.Port})

	conn, addr, err := race(ctx, dialOrder(addrs, x.lastGood), x.dialSensor)
	if err != nil {
		return nil, fmt.Errorf("dial sensor %s: %w", x.target.Host, err)
	}
	x.lastGood = addr
	return conn, nil
}

// resolve looks the sensor up at each attempt: a name may have moved.
func (x *session) resolve(ctx context.Context) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(x.target.Host); err == nil {
		if x.agent.opts.IPv4Only && !a.Unmap().Is4() {
			return nil, fmt.Errorf("dial sensor %s: IPv6 address, but -4 allows IPv4 only", a)
		}
		return []netip.Addr{a.Unmap()}, nil
	}
	network := "ip"
	if x.agent.opts.IPv4Only {
		network = "ip4"
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, x.target.Host)
	if err != nil {
		return nil, fmt.Errorf("resolve sensor %s: %w", x.target.Host, err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("resolve sensor %s: no address", x.target.Host)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// remote is the address that the control connection is connected to: where the
// data goes (docs/RPCAP.md).
func remote(c net.Conn) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read peer address: %w", err)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// dialData opens a TCP data connection to the control peer's address.
func dialData(ctx context.Context, to netip.AddrPort) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dataDialTimeout)
	defer cancel()
	d := net.Dialer{Control: setUserTimeout}
	c, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, fmt.Errorf("open data connection: %w", err)
	}
	return c.(*net.TCPConn), nil
}
