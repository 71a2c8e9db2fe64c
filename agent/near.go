package agent

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"rpcapd/filter"
)

const (
	// nearLinger is how long a port stays excluded after its connection has ended: what was
	// sent may be seen later, on its way back through a NAT or from a retransmission.
	nearLinger = 60 * time.Second
	// nearSweep is the least time between two looks for ends that are over.
	nearSweep = time.Second
	// nearOld bounds how many ports of ended connections are excluded: a sensor that starts
	// and ends captures without end must not fill the kernel's program.
	nearOld = 32
	// nearAddresses bounds the addresses of the near end, those of the connections first.
	// An address takes up to 50 instructions of the kernel's program.
	nearAddresses = 16
)

// near is the near end of one connection or data socket of the agent.
type near struct {
	local netip.AddrPort
	tcp   bool
}

// nearEnds are those in use, with the zero time, and those that have ended, with the time
// until which they stay excluded.
type nearEnds map[near]time.Time

// exclusion lists addresses and ports. A NAT on this host may give what leaves any address
// of the interface that it leaves by, so those of the captured interfaces count.
func (n nearEnds) exclusion(captures map[*capturing][]netip.Addr, now time.Time) filter.Near {
	var x filter.Near
	var own, others []netip.Addr
	for end, until := range n {
		if !until.IsZero() && !now.Before(until) {
			continue
		}
		own = append(own, end.local.Addr().WithZone(""))
		if end.tcp {
			x.TCP = append(x.TCP, end.local.Port())
		} else {
			x.UDP = append(x.UDP, end.local.Port())
		}
	}
	for _, addrs := range captures {
		for _, a := range addrs {
			others = append(others, a.WithZone("").Unmap())
		}
	}
	slices.SortFunc(own, netip.Addr.Compare)
	slices.SortFunc(others, netip.Addr.Compare)
	for _, a := range append(own, others...) {
		if len(x.Addrs) < nearAddresses && !slices.Contains(x.Addrs, a) {
			x.Addrs = append(x.Addrs, a)
		}
	}
	slices.Sort(x.TCP)
	slices.Sort(x.UDP)
	x.TCP, x.UDP = slices.Compact(x.TCP), slices.Compact(x.UDP)
	return x
}

// forget drops the ends that are over, and the oldest of those that linger if there are too many.
func (n nearEnds) forget(now time.Time) {
	maps.DeleteFunc(n, func(_ near, until time.Time) bool { return !until.IsZero() && !now.Before(until) })
	for {
		var oldest near
		old := 0
		for end, until := range n {
			if until.IsZero() {
				continue
			}
			if old++; old == 1 || until.Before(n[oldest]) {
				oldest = end
			}
		}
		if old <= nearOld {
			return
		}
		delete(n, oldest)
	}
}

// firstOver is the time at which the first of those that linger is over; zero if none does.
func (n nearEnds) firstOver() (first time.Time) {
	for _, until := range n {
		if !until.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	return first
}

// begin excludes a near end before anything is sent from it.
func (e *exclusions) begin(n near) {
	if !n.local.IsValid() { // nothing is sent
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if until, known := e.near[n]; known && until.IsZero() {
		return
	}
	e.near[n] = time.Time{}
	e.refresh()
}

// end lets a near end linger.
func (e *exclusions) end(n near) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if until, known := e.near[n]; !known || !until.IsZero() {
		return
	}
	now := time.Now()
	e.near[n] = now.Add(nearLinger)
	e.near.forget(now)
	if !e.sweeping {
		e.sweepIn(nearLinger)
	}
}

// sweepIn takes the ends that are over out of the filters after d, and again as long as some linger: there is one timer,
// however many connections end. mu is held.
func (e *exclusions) sweepIn(d time.Duration) {
	e.sweeping = true
	time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		now := time.Now()
		e.near.forget(now)
		e.refresh()
		e.sweeping = false
		if next := e.near.firstOver(); !next.IsZero() {
			e.sweepIn(max(next.Sub(now), nearSweep))
		}
	})
}

// drop forgets the near end of a connection that never was. That it is excluded until the next change does no harm.
func (e *exclusions) drop(n near) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.near, n)
}

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
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close() // nothing was sent
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
