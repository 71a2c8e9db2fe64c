package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// startCapture answers STARTCAP in the order of the peers: device with its filter,
// data connection, reply, frames (docs/RPCAP.md).
func (c *connection) startCapture(ctx context.Context, payload []byte) error {
	req, _, err := rpcap.ParseStartCaptureRequest(payload)
	if err != nil {
		return c.refuse(rpcap.CodeStartCapture, "%v", err)
	}
	if c.parting {
		return c.refuse(rpcap.CodeStartCapture, "the session ends")
	}
	if c.capture.running() {
		return c.refuse(rpcap.CodeStartCapture, "a capture of %s is already running", c.capture.info.Interface)
	}
	if c.opened == "" {
		return c.refuse(rpcap.CodeStartCapture, "no interface opened")
	}
	if req.DataPort == 0 {
		return c.refuse(rpcap.CodeStartCapture, "data port 0 is invalid")
	}
	// Before anything is sent or dialed: the answer must not tell what listens there.
	if ports := c.session.agent.policy.Load().DataPorts; !ports.Contains(req.DataPort) {
		return c.refuse(rpcap.CodeStartCapture, "data port %d is not allowed: DataPorts in the agent's ini allows %s", req.DataPort, ports)
	}
	if err := filter.Validate(req.Filter); err != nil {
		return c.refuse(rpcap.CodeStartCapture, "filter: %v", err)
	}
	c.collect()
	capt, err := c.newCapture(ctx, req)
	if err != nil {
		return c.refuse(rpcap.CodeStartCapture, "%v", err)
	}
	c.capture = capt
	c.final = rpcap.StatsReply{}
	var reply rpcap.StartCaptureReply
	if req.Flags&rpcap.FlagReportPort != 0 {
		reply.DataPort = capt.out.near().local.Port()
	}
	if err := c.write(reply.Append(c.out[:0])); err != nil {
		capt.abandon()
		c.capture = nil
		return err
	}
	c.session.capturing(capt)
	capt.start(c.captureEnded)
	c.session.say("capture started", zap.String("interface", capt.info.Interface), zap.String("format", capt.info.Format),
		zap.String("data", capt.info.Data), zap.Uint32("snaplen", capt.info.Snaplen), zap.Bool("promiscuous", capt.info.Promiscuous),
		zap.Int("instructions", len(req.Filter)))
	return nil
}

// newCapture opens source and data connection of a request that is in order.
func (c *connection) newCapture(ctx context.Context, req rpcap.StartCaptureRequest) (*capturing, error) {
	x := c.session
	policy := x.agent.policy.Load()
	snaplen := req.Snaplen
	if snaplen == 0 || snaplen > rpcap.MaxSnaplen {
		snaplen = rpcap.MaxSnaplen
	}
	if limit := policy.MaxSnaplen; limit > 0 && snaplen > limit {
		c.session.say("snap length cut by the ini", zap.Uint32("asked", snaplen), zap.Uint32("MaxSnaplen", limit))
		snaplen = limit
	}
	promiscuous := req.Flags&rpcap.FlagPromiscuous != 0
	if promiscuous && policy.NoPromiscuous {
		c.session.say("promiscuous mode refused by the ini")
		promiscuous = false
	}
	to := netip.AddrPortFrom(c.peer.Addr(), req.DataPort)
	x.agent.exclusions.setData(x, to)

	name := c.opened // another OPEN may replace it while the capture runs
	capt := &capturing{
		log:      c.log,
		agent:    x.agent,
		program:  req.Filter,
		done:     make(chan struct{}),
		link:     LinkUp,
		changed:  x.interfaceEvent,
		complain: func(what string, err error) { x.complain(what, err, zap.String("interface", name)) },
		info: CaptureStatus{
			Interface: name, Snaplen: snaplen, Promiscuous: promiscuous,
			Data: to.String(), Started: time.Now(), Running: true,
		},
	}
	if err := capt.openSource(x.group); err != nil {
		return nil, err
	}
	x.agent.exclusions.attach(capt, x.agent.ifaces.addresses(name))
	if err := capt.openOutput(ctx, to, req.Flags); err != nil {
		x.agent.exclusions.detach(capt)
		capt.source.Close()
		return nil, err
	}
	x.agent.exclusions.begin(capt.out.near()) // a UDP socket that is connected has sent nothing yet
	capt.forwarder = newForwarder(capt.source, capt.out, c.sampling, &x.agent.limits)
	return capt, nil
}

// updateFilter replaces the program of the running capture. On error the old one
// stays.
func (c *connection) updateFilter(payload []byte) error {
	req, _, err := rpcap.ParseUpdateFilterRequest(payload)
	if err != nil {
		return c.refuse(rpcap.CodeUpdateFilter, "%v", err)
	}
	if !c.capture.running() {
		return c.refuse(rpcap.CodeUpdateFilter, "no capture is running")
	}
	if err := filter.Validate(req.Filter); err != nil {
		return c.refuse(rpcap.CodeUpdateFilter, "filter: %v", err)
	}
	if err := c.capture.setProgram(req.Filter); err != nil {
		return c.refuse(rpcap.CodeUpdateFilter, "%v", err)
	}
	return c.acknowledge(rpcap.TypeUpdateFilterRequest)
}

// stats answers STATS: live numbers while a capture runs, the final ones after it,
// zeros before the first.
func (c *connection) stats() error {
	numbers := c.final
	if c.capture != nil {
		numbers = statsReply(c.capture.counters())
	}
	if c.session.agent.opts.LogStats {
		c.log.Info("statistics", zap.Uint32("received", numbers.IfRecv), zap.Uint32("interface_drops", numbers.IfDrop),
			zap.Uint32("ring_drops", numbers.KernelDrop), zap.Uint32("captured", numbers.Captured))
	}
	return c.write(numbers.Append(c.out[:0]))
}

// statsReply cuts the 64-bit sums to the 32 wrapping bits of the protocol.
func statsReply(n Counters) rpcap.StatsReply {
	return rpcap.StatsReply{
		IfRecv:     uint32(n.Received),
		IfDrop:     uint32(n.InterfaceDrops),
		KernelDrop: uint32(n.RingDrops),
		Captured:   uint32(n.Packed),
	}
}

// endCaptureRequest answers ENDCAP after everything captured has been sent.
func (c *connection) endCaptureRequest() error {
	if !c.capture.running() {
		return c.refuse(rpcap.CodeEndCapture, "no capture is running")
	}
	c.endCapture()
	return c.acknowledge(rpcap.TypeEndCaptureRequest)
}

// endCapture ends a running capture, if there is one, and keeps its numbers.
func (c *connection) endCapture() {
	if c.capture.running() {
		c.capture.stop()
	}
	c.collect()
}

// collect takes the numbers of a capture that has ended.
func (c *connection) collect() {
	if c.capture == nil {
		return
	}
	<-c.capture.done
	n := c.capture.counters()
	c.final = statsReply(n)
	c.capture = nil
	c.session.say("capture ended", zap.Uint64("received", n.Received), zap.Uint64("ring_drops", n.RingDrops),
		zap.Uint64("captured", n.Captured), zap.Uint64("packed", n.Packed), zap.Uint64("datagrams", n.Datagrams), zap.Uint64("send_dropped", n.SendDropped))
}

// captureEnded runs when a forwarder has ended, whatever the reason: err is nil if
// it was asked to. A capture that died is told to the sensor with the one
// unsolicited message of the protocol, and the session goes on.
func (c *connection) captureEnded(capt *capturing, err error) {
	c.session.captureDone(capt)
	if err == nil {
		c.fileSent(capt)
		return
	}
	c.session.complain("capture ended by an error", fmt.Errorf("capture of %s: %w", capt.info.Interface, err))
	e := &rpcap.Error{Code: rpcap.CodeRead, Text: fmt.Sprintf("capture of %s ended: %v", capt.info.Interface, err)}
	if werr := c.wire.WriteMessage(time.Now().Add(writeTimeout), e.Append(nil)); werr != nil && !errors.Is(werr, context.Canceled) {
		c.log.Debug("cannot report the end of a capture to the sensor", zap.Error(werr))
	}
}
