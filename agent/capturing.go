package agent

import (
	"context"
	"net/netip"

	"go.uber.org/zap"

	"rpcapd/capture"
	"rpcapd/rpcap"
)

// running says whether the capture still has to be ended. One that has died is
// over; one that has read its file to the end is not until the sensor ends it.
func (c *capturing) running() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.final == nil || c.err == nil
}

// openSource opens the ring with the filter that holds now. What the kernel does
// not take is run in user space, said once.
func (c *capturing) openSource(group *capture.Fanout) error {
	policy := c.agent.policy.Load()
	link, err := c.agent.ifaces.linkType(c.info.Interface)
	if err != nil {
		return err
	}
	c.info.LinkType = link
	c.exclusion = c.agent.exclusions.snapshot()
	prog, err := c.compose(false)
	if err != nil {
		return err
	}
	o := capture.Options{
		Interface:   c.info.Interface,
		Snaplen:     c.info.Snaplen,
		Promiscuous: c.info.Promiscuous,
		RingBytes:   policy.RingBytes,
		Retire:      ringRetire,
		Filter:      prog,
		Fanout:      group,
		OnEvent:     c.event,
	}
	c.source, err = c.agent.ifaces.open(o)
	if err != nil && refusedByKernel(err) {
		if o.Filter, err = c.compose(true); err != nil {
			return err
		}
		c.source, err = c.agent.ifaces.open(o)
	}
	return err
}

// openOutput opens the data connection in the format that -t and the sensor's
// flags lead to.
func (c *capturing) openOutput(ctx context.Context, to netip.AddrPort, flags rpcap.StartCaptureFlags) error {
	var err error
	switch policy := c.agent.policy.Load(); {
	case c.agent.opts.DryRun:
		c.out = newDiscard()
	case flags&rpcap.FlagDatagram == 0:
		c.out, err = openPacketTCP(ctx, to, c.agent.exclusions)
	case policy.Datagram.Plain:
		c.out, err = openPacketUDP(to, &c.agent.opts, policy, c.complain)
	default:
		c.out, err = openUDPStr(to, &c.agent.opts, policy, flags&rpcap.FlagNoSegmentation != 0, c.log, c.complain)
	}
	if err == nil {
		c.info.Format = c.out.format()
	}
	return err
}

// start begins forwarding. ended is called once, from the forwarder's goroutine,
// after the last numbers were taken.
func (c *capturing) start(ended func(*capturing, error)) {
	c.agent.wg.Go(func() {
		err := c.endOfFile(c.forwarder.run())
		c.finish(err)
		ended(c, err)
		close(c.done)
	})
}

// abandon closes a capture that never started.
func (c *capturing) abandon() {
	c.finish(nil)
	close(c.done)
}

func (c *capturing) finish(err error) {
	c.agent.exclusions.detach(c)
	n := c.live()
	c.mu.Lock()
	c.final, c.err = &n, err
	c.mu.Unlock()
	c.source.Close()
	c.out.close()
	c.agent.exclusions.end(c.out.near())
}

// stop ends the capture in order: nothing more is accepted, what the ring holds is
// sent, then the numbers are final.
func (c *capturing) stop() {
	c.out.giveUp()
	if err := c.source.Drain(drainTimeout); err != nil {
		c.log.Debug("drain capture", zap.Error(err))
	}
	<-c.done
}

// counters are the numbers so far, or the final ones.
func (c *capturing) counters() Counters {
	c.mu.Lock()
	final := c.final
	c.mu.Unlock()
	if final != nil {
		return *final
	}
	return c.live()
}

// live reads the forwarder before the source, so that a frame that comes in
// between is counted as still in the ring and never as captured out of nothing.
func (c *capturing) live() Counters {
	n := c.forwarder.counters()
	c.out.count(&n)
	s, err := c.source.Stats()
	if err != nil {
		c.log.Debug("read statistics", zap.Error(err))
	}
	n.Received, n.RingDrops, n.InterfaceDrops = s.Received-s.Refused, s.RingDrops, s.InterfaceDrops
	n.CapturedBytes = s.Bytes
	return n
}

// status describes the capture for the status file.
func (c *capturing) status() CaptureStatus {
	st := c.info
	st.Counters = c.counters()
	c.out.describe(&st)
	if n := c.forwarder.shedding.Load(); n > 1 {
		st.Shedding = n
	}
	c.mu.Lock()
	st.Running, st.UserFilter, st.Link = c.final == nil, c.userFilter, c.link
	st.FileCut, st.FileOtherLink = c.odd.Cut, c.odd.OtherLink
	c.mu.Unlock()
	return st
}
