package receive

import (
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// DataPorts is the range of UDP ports that agents send to (and of TCP ports, for rules with TCP).
type DataPorts struct {
	First  uint16 // 0 lets the system choose each port
	Count  int    // 1 to MaxDataPorts; 0 is DefaultDataPorts
	GROOff bool   // do not ask the kernel for receive offload
}

// with lists the range and a port that may be outside of it. An agent is told to leave out all of them: what others send
// to this sensor would otherwise be forwarded by agents that see each other, without end.
func (d DataPorts) with(port uint16) []uint16 {
	all := []uint16{port}
	for i := range d.Count {
		if d.First != 0 {
			all = append(all, d.First+uint16(i))
		}
	}
	return all
}

// Limits bounds the reordering of a stream.
type Limits struct {
	Window int           // datagrams held back for it
	Hold   time.Duration // and for how long
}

// Config is what newReceiver needs.
type Config struct {
	Listen netip.Addr // address of the data ports; the zero value is every address
	Data   DataPorts
	Limits Limits
	Dedup  time.Duration                        // window of duplicates; 0: none are dropped
	Hub    *sink.Hub                            // gives each stream its feeds
	Open   func(netip.AddrPort) (Socket, error) // opens a UDP port; nil: a socket of the system
	Log    *zap.Logger
}

// Receiver takes in the frames of all captures.
type Receiver struct {
	config Config
	ports  *portPool

	mu        sync.Mutex // guards what follows; the shards of dedup come after it
	limits    Limits
	dedup     *dedup // nil: off
	forgotten uint64 // frames that earlier tables had to forget
}

// New opens nothing; a port is opened when it is first needed.
func New(c Config) *Receiver {
	if c.Open == nil {
		c.Open = openUDP(c.Data.GROOff)
	}
	return &Receiver{config: c, ports: newPortPool(&c), limits: c.Limits, dedup: newDedup(c.Dedup)}
}

// Probe finds out whether data ports are to be had. The error is that none can be opened.
func (r *Receiver) Probe() error { return r.ports.probe() }

// Ports describes the open data ports.
func (r *Receiver) Ports() []status.Port { return r.ports.status() }

// Close ends every data port and waits for it. All captures must have ended.
func (r *Receiver) Close() { r.ports.close() }

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

// exchange: a capture that begins has both the old values, and is known to the hub afterwards, or the new ones: Hub.Between calls it.
func (r *Receiver) exchange(l Limits, window time.Duration) (d *dedup, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = l
	if d = r.dedup; window == d.span() {
		return d, false
	}
	r.forgotten += d.forgotten()
	d = newDedup(window)
	r.dedup = d
	return d, true
}

// settings are for a capture that begins.
func (r *Receiver) settings() (Limits, *dedup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits, r.dedup
}

// DedupForgotten counts frames that were forgotten before the window of duplicates was over, because too many came.
func (r *Receiver) DedupForgotten() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.forgotten + r.dedup.forgotten()
}
