package receive

import (
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/sink"
)

// Begin opens what the frames of a capture go to, and attaches the sinks. The error is ErrPortsPending if a port will be free
// soon.
func (r *Receiver) Begin(src sink.Source, overTCP bool, log *zap.Logger) (*Capture, error) {
	c := &Capture{receiver: r}
	if err := r.config.Hub.Join(c, func() error {
		limits, dedup := r.settings()
		c.stream = newStream(src, limits)
		c.stream.dedup, c.stream.number = dedup, dedup.stream()
		c.stream.overTCP, c.stream.hub = overTCP, r.config.Hub
		return r.open(c, log)
	}); err != nil {
		return nil, err
	}
	return c, nil
}

// open opens what the frames of a capture go to. The sinks get to know the stream only when it has a port.
func (r *Receiver) open(c *Capture, log *zap.Logger) error {
	attach := func() { c.stream.feeds = c.stream.hub.Attach(c.stream.source, sink.Forwarded{}) }
	if c.stream.overTCP {
		t, err := listenTCPData(&r.config, c.stream, log)
		if err != nil {
			return err
		}
		attach()
		t.start()
		c.tcp, c.guard = t, &t.mu
		return nil
	}
	c.stream.path.state = pathUnanswered
	port, err := r.ports.allocate(c.stream, attach)
	if err != nil {
		return err
	}
	c.port, c.guard = port, &port.mu
	foreign := c.foreign()
	port.with(func() { c.stream.account.foreign = foreign })
	return nil
}

// SetStreams puts other limits and another window for duplicates in force: the limits for captures that begin from now on, the
// window for each frame.
func (r *Receiver) SetStreams(l Limits, window time.Duration) {
	var d *dedup
	var changed bool
	running := r.config.Hub.Between(func() { d, changed = r.exchange(l, window) })
	if !changed {
		return
	}
	for _, f := range running {
		c := f.(*Capture)
		c.guard.Lock()
		c.stream.dedup, c.stream.number = d, d.stream()
		c.guard.Unlock()
	}
}
