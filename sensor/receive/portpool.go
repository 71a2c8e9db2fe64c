package receive

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/address"
	"rpcapd/sensor/status"
)

// ErrPortsPending means that on every port a stream of the same address awaits its first datagram.
var ErrPortsPending = status.Caused(status.CauseTooMany, "every data port already awaits the first datagram of another stream of this address")

// reopenAfter is how long a port that could not be opened is left alone.
const reopenAfter = 30 * time.Second

// portPool is the range of UDP ports. A port is opened when it is first needed and stays open until the end: one
// "port unreachable" sent to a C agent's late datagram would end its next capture.
type portPool struct {
	listen netip.Addr
	open   func(netip.AddrPort) (Socket, error)
	log    *zap.Logger
	wg     sync.WaitGroup // the ports' receivers
	held   *heldBudget    // of candidate paths
	calls  testCalls

	mu     sync.Mutex // before dataPort.mu
	slots  []portSlot
	guests map[netip.Addr]int // addresses of test calls, which every port expects
	serial uint64             // allocations so far
	told   bool               // a port could not keep strangers out
}

// portSlot is one number of the range.
type portSlot struct {
	number  uint16 // 0: chosen by the system
	port    *dataPort
	streams map[netip.Addr]int // per agent address
	total   int
	used    uint64    // when it was last given out, in allocations
	retry   time.Time // not to be opened before
}

func newPortPool(o *Config) *portPool {
	p := &portPool{held: newHeldBudget(int(o.Data.Count)), listen: o.Listen, open: o.Open, log: o.Log, guests: make(map[netip.Addr]int), slots: make([]portSlot, o.Data.Count)}
	for i := range p.slots {
		p.slots[i].streams = make(map[netip.Addr]int)
		if o.Data.First != 0 {
			p.slots[i].number = o.Data.First + uint16(i)
		}
	}
	return p
}

// allocate registers the stream with a port: the one with the fewest streams of its address, among those the one with
// the fewest at all, among those the one unused for longest. The error is errPortsPending while every port awaits a
// first datagram from that address. attach is called when a port has been found, before the stream is registered; it may
// take a sink's lock.
func (p *portPool) allocate(s *stream, attach func()) (*dataPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var openErr error
	for {
		best := p.best(s.agent, now)
		if best == nil {
			if openErr != nil && !p.anyOpen() {
				return nil, openErr
			}
			return nil, ErrPortsPending
		}
		if best.port == nil {
			if err := p.openSlot(best); err != nil {
				openErr = err
				best.retry = now.Add(reopenAfter)
				continue
			}
		}
		p.serial++
		best.used = p.serial
		best.streams[s.agent]++
		best.total++
		attach()
		best.port.add(s)
		if best.streams[s.agent] == 1 {
			p.expect(best)
		}
		return best.port, nil
	}
}

// expect tells the port of a slot whose datagrams to take. That it cannot keep others out is told once.
func (p *portPool) expect(c *portSlot) {
	expected := c.streams
	if len(p.guests) > 0 {
		expected = maps.Clone(c.streams)
		maps.Copy(expected, p.guests)
	}
	if err := c.port.expect(expected); err != nil && !errors.Is(err, errors.ErrUnsupported) && !p.told {
		p.told = true
		p.log.Info("a flood from strangers could take room in a receive buffer", zap.Uint16("port", c.port.port), zap.Error(err))
	}
}

func (p *portPool) anyOpen() bool {
	for i := range p.slots {
		if p.slots[i].port != nil {
			return true
		}
	}
	return false
}

// best is nil if no port can be given to a new stream of addr now.
func (p *portPool) best(addr netip.Addr, now time.Time) (best *portSlot) {
	for i := range p.slots {
		c := &p.slots[i]
		if c.port == nil && now.Before(c.retry) || c.port != nil && c.port.awaits(addr) {
			continue
		}
		if best == nil || c.before(best, addr) {
			best = c
		}
	}
	return best
}

func (c *portSlot) before(o *portSlot, addr netip.Addr) bool {
	if a, b := c.streams[addr], o.streams[addr]; a != b {
		return a < b
	}
	if c.total != o.total {
		return c.total < o.total
	}
	return c.used < o.used
}

func (p *portPool) openSlot(c *portSlot) error {
	at := p.bindable(c.number)
	sock, err := p.open(at)
	if err != nil {
		err = address.ListenError(fmt.Sprintf("open data port %d", c.number), at, err)
		p.log.Warn("a data port cannot be used; the others are", zap.Error(err))
		return err
	}
	c.port = newDataPort(sock, p.held, p.log)
	c.port.calls = &p.calls
	p.wg.Go(c.port.run)
	p.log.Debug("data port open", zap.Uint16("port", c.port.port))
	return nil
}

// bindable is where a port is opened.
func (p *portPool) bindable(port uint16) netip.AddrPort {
	if !p.listen.IsValid() {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), port)
	}
	return netip.AddrPortFrom(p.listen, port)
}

// release forgets a finished stream.
func (p *portPool) release(port *dataPort, s *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.slots {
		c := &p.slots[i]
		if c.port != port {
			continue
		}
		c.total--
		if c.streams[s.agent]--; c.streams[s.agent] <= 0 {
			delete(c.streams, s.agent)
			p.expect(c)
		}
	}
	port.remove(s, time.Now())
}

// status describes the open ports.
func (p *portPool) status() []status.Port {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []status.Port
	for i := range p.slots {
		if port := p.slots[i].port; port != nil {
			out = append(out, port.status())
		}
	}
	return out
}

// close ends every receiver and waits for it.
func (p *portPool) close() {
	p.mu.Lock()
	for i := range p.slots {
		if port := p.slots[i].port; port != nil {
			if err := port.sock.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				p.log.Debug("close data port", zap.Error(err))
			}
		}
	}
	p.mu.Unlock()
	p.wg.Wait()
}
