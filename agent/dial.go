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
	x.agent.exclusions.set(x, addrs, x.target.Port)

	ends := x.agent.exclusions.dialing()
	dial := func(ctx context.Context, a netip.Addr) (net.Conn, error) { return x.dialSensor(ctx, a, ends.control) }
	conn, addr, err := race(ctx, dialOrder(addrs, x.lastGood), dial)
	if err != nil {
		ends.done(nil)
		return nil, fmt.Errorf("dial sensor %s: %w", x.target.Host, err)
	}
	x.lastGood, x.near = addr, ends.done(conn)
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

// dialData opens a TCP data connection to the control peer's address. Its near end is
// excluded before, for the caller to end.
func dialData(ctx context.Context, to netip.AddrPort, e *exclusions) (*net.TCPConn, near, error) {
	ctx, cancel := context.WithTimeout(ctx, dataDialTimeout)
	defer cancel()
	ends := e.dialing()
	d := net.Dialer{Control: ends.control}
	c, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		ends.done(nil)
		return nil, near{}, fmt.Errorf("open data connection to %s: %w", to, dialCause(err))
	}
	return c.(*net.TCPConn), ends.done(c), nil
}
