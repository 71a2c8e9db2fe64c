package simulator

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

const (
	// retire is how often the real agent's ring hands over what it has.
	retire = 15 * time.Millisecond
	// limit is the datagram size of a path of 1,500 bytes; runBuffer holds one run.
	limit     = udpstr.DefaultLimit
	runBuffer = 64 << 10
	sendWait  = 2 * time.Millisecond
)

// capture is what an agent does between STARTCAP and ENDCAP.
type capture struct {
	agent *agent
	sock  *udpsock.Sender
	quit  chan struct{}
	done  chan struct{}
	// packer is made when the first frame is sent: most agents of a large fleet are silent.
	packer *udpstr.Packer

	packed atomic.Uint64
}

func newCapture(a *agent, to netip.AddrPort) (*capture, error) {
	sock, err := udpsock.Dial(to, udpsock.Options{Local: a.addr, DontFragment: true})
	if err != nil {
		return nil, fmt.Errorf("open data socket: %w", err)
	}
	return &capture{agent: a, sock: sock, quit: make(chan struct{}), done: make(chan struct{})}, nil
}

func (c *capture) start() { go c.run() }

// stop ends the capture and returns its last numbers.
func (c *capture) stop() rpcap.StatsReply {
	close(c.quit)
	<-c.done
	return c.stats()
}

func (c *capture) stats() rpcap.StatsReply {
	n := uint32(c.packed.Load())
	return rpcap.StatsReply{IfRecv: n, Captured: n}
}

// run sends at the fleet's rate, if this agent is one of those that send. The others
// cost the process nothing but this wait.
func (c *capture) run() {
	defer close(c.done)
	defer c.sock.Close()
	for {
		load, changed := c.agent.fleet.loadNow()
		if c.agent.index < load.Sending && load.Rate > 0 {
			c.send(load.Rate, changed)
		}
		select {
		case <-c.quit:
			return
		case <-changed:
		}
	}
}

// send sends frames as a ring would hand them over, until the load changes.
func (c *capture) send(rate float64, changed <-chan struct{}) {
	if c.packer == nil {
		var err error
		if c.packer, err = udpstr.NewPacker(limit, make([]byte, runBuffer)); err != nil {
			c.agent.fleet.complained(err)
			return
		}
	}
	first := c.packed.Load()
	// Agents are not in step with each other.
	began := time.Now().Add(-retire * time.Duration(c.agent.index%16) / 16)
	tick := time.NewTicker(retire)
	defer tick.Stop()
	var frames []udpstr.Frame
	for {
		select {
		case <-c.quit:
			return
		case <-changed:
			return
		case now := <-tick.C:
			due := first + uint64(now.Sub(began).Seconds()*rate)
			have := c.packed.Load()
			frames = appendFrames(frames[:0], have, int(due-min(due, have)), now)
			c.forward(frames)
		}
	}
}

// forward packs frames and sends them.
func (c *capture) forward(frames []udpstr.Frame) {
	p := c.packer
	frameCount, before := p.Packed(), c.sock.Counters()
	for len(frames) > 0 || p.Pending() {
		n, full := p.Append(frames)
		frames = frames[n:]
		if full || len(frames) == 0 {
			if run, ok := p.Take(); ok {
				if _, err := c.sock.Send(run.Bytes, run.Size, sendWait); err != nil {
					c.agent.fleet.complained(fmt.Errorf("send: %w", err))
				}
			}
		}
	}
	c.packed.Store(p.Packed())
	sum, after := &c.agent.fleet.sums, c.sock.Counters()
	sum.packed.Add(p.Packed() - frameCount)
	sum.datagrams.Add(after.Datagrams - before.Datagrams)
	sum.dropped.Add(after.Dropped() - before.Dropped())
}
