package uplink

import (
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

const (
	// smallProbe passes every path.
	smallProbe = 64
	// rounds is how often a probe is sent before it counts as lost, and the pause is between ports: a burst must not be the cause.
	rounds    = 3
	portPause = 2 * time.Millisecond
	// leastWait is how long an echo is waited for at least in the first round; each further one takes twice as long.
	leastWait = 300 * time.Millisecond
	// superDatagrams is how many datagrams a super-packet has: as many as the agent sends at 1,472 bytes.
	superDatagrams = 44
)

// smaller are the sizes that are tried when full ones get lost: the payload of tunnels, and the least path of IPv6.
var smaller = []int{1452, 1432, 1412, 1392, 1372, 1352, 1322, 1272, 1232, 1152, 1024, 548}

// probed is what came back.
type probed struct {
	err    error // errEarlier, or why there is nothing to probe
	full   int   // size of the large probes
	ports  []portResult
	mtu    int // path MTU that the kernel knows; 0: unknown
	works  int // the largest size that came back where full ones did not; 0: not looked for
	super  superResult
	listed int // ports that the sensor offers
}

// portResult is what came back from one port.
type portResult struct {
	port        uint16
	small, full bool
	err         error // the last that the socket has met
}

type superResult struct {
	tried      bool
	sent, back int
	err        error // of the last send
}

// probe sends probes to all ports that the sensor offers.
func (v *Visit) probe() (p probed) {
	t := v.talked()
	if t.err != nil {
		return probed{err: errEarlier}
	}
	if t.none != nil {
		return probed{err: t.none}
	}
	call := v.dialed().call
	defer call.Close()
	addr := call.Address.Addr()
	wait := max(leastWait, 4*max(call.Took, t.round))
	deadline := time.Now().Add(probesLimit)
	p.listed = len(t.offer.Ports)
	if p.listed == 0 {
		return p
	}
	p.mtu, p.full = v.fullSize(addr, t.offer.Ports[0])
	p.ports = make([]portResult, p.listed)
	var wg sync.WaitGroup
	for i, port := range t.offer.Ports {
		wg.Go(func() { p.ports[i] = probePort(netip.AddrPortFrom(addr, port), t.offer.Token, p.full, wait, deadline) })
		time.Sleep(portPause)
	}
	wg.Wait()
	v.look(&p, addr, t.offer.Token, wait)
	return p
}

// fullSize is the size of the agent's datagrams: auto, or what -t says, as far as the path takes it.
func (v *Visit) fullSize(addr netip.Addr, port uint16) (mtu, size int) {
	headers, size := 48, udpstr.DefaultLimit-20
	if addr.Is4() {
		headers, size = 28, udpstr.DefaultLimit
	}
	if s, err := dialProbes(netip.AddrPortFrom(addr, port), 0); err == nil {
		mtu = s.pathMTU()
		s.close()
	}
	d := v.opts.Policy.Datagram
	switch {
	case d.Size > 0:
		size = d.Size
	case d.Jumbo && mtu > 0:
		size = mtu - headers
	}
	if mtu > 0 {
		size = min(size, mtu-headers)
	}
	return mtu, min(max(size, smallProbe), udpstr.MaxProbe)
}

// probePort sends a small and a full probe to a port, again until both come back.
func probePort(to netip.AddrPort, token uint64, full int, wait time.Duration, deadline time.Time) (r portResult) {
	r.port = to.Port()
	s, err := dialProbes(to, token)
	if err != nil {
		r.err = err
		return r
	}
	defer s.close()
	for round := range rounds {
		if !r.small {
			s.send(smallProbe, uint32(2*round))
		}
		if !r.full {
			s.send(full, uint32(2*round+1))
		}
		both := time.Now().Add(wait << round)
		for !r.small || !r.full {
			left := time.Until(both)
			if left <= 0 {
				break
			}
			timer := time.NewTimer(left)
			select {
			case <-s.arrived:
			case <-timer.C:
			}
			timer.Stop()
			for i := range round + 1 {
				r.small = r.small || s.back(uint32(2*i), 1) == 1
				r.full = r.full || s.back(uint32(2*i+1), 1) == 1
			}
		}
		if r.small && r.full || time.Now().After(deadline) {
			break
		}
	}
	r.err = s.err()
	return r
}

// look finds out, on the first port that answers, which size passes and whether super-packets do.
func (v *Visit) look(p *probed, addr netip.Addr, token uint64, wait time.Duration) {
	var best *portResult
	for i := range p.ports {
		if r := &p.ports[i]; r.small && (best == nil || r.full && !best.full) {
			best = r
		}
	}
	if best == nil {
		return
	}
	s, err := dialProbes(netip.AddrPortFrom(addr, best.port), token)
	if err != nil {
		return
	}
	defer s.close()
	if !best.full {
		p.works = largest(s, p.full, wait)
		return
	}
	p.super = v.superPackets(s, p.full, wait)
}

// largest is the largest size below full that comes back; at once all are sent twice, and waited for.
func largest(s *probeSocket, full int, wait time.Duration) (works int) {
	number := func(try, i int) uint32 { return uint32(try*len(smaller) + i) }
	for try := range rounds {
		for i, size := range smaller {
			if size < full {
				s.send(size, number(try, i))
				time.Sleep(portPause)
			}
		}
		time.Sleep(wait)
		for i, size := range smaller {
			if s.back(number(try, i), 1) == 1 {
				works = max(works, size)
			}
		}
	}
	return works
}

// superPackets sends some, and says how many of their datagrams came back. The sensor sends each back by itself.
func (v *Visit) superPackets(s *probeSocket, size int, wait time.Duration) (r superResult) {
	if v.opts.GSO == udpsock.Off || v.opts.Policy.Datagram.Plain {
		return r
	}
	n := min(superDatagrams, udpsock.MaxRunBytes/size)
	if n < 2 {
		return r
	}
	r.tried = true
	first := uint32(1 << 16)
	for round := range rounds {
		if r.err = s.sendSuper(size, n, first); r.err != nil {
			if errors.Is(r.err, syscall.ECONNREFUSED) || errors.Is(r.err, syscall.EHOSTUNREACH) {
				continue // an ICMP error of a datagram before
			}
			return r
		}
		r.sent += n
		s.await(first+uint32(r.sent-n), n, wait<<round)
		if r.back = s.back(first, r.sent); r.back == r.sent { // late ones of the rounds before count, too
			return r
		}
	}
	return r
}
