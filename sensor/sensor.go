package sensor

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"

	"rpcapd/rpcap"
	"rpcapd/sensor/control"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// Sensor accepts agents and feeds their frames to sinks.
type Sensor struct {
	control  *control.Server
	receiver *receive.Receiver
	hub      *sink.Hub
	probe    bool // the data ports are the machine's; whether there are any is looked at first

	reloading sync.Mutex // held for a whole Reload; before all others
}

// New checks the options and compiles the rules' filters, so that a bad one is found at once. It opens nothing; Run
// does.
func New(o Options) (*Sensor, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Log = o.Log.Named("sensor")
	hub, err := sink.NewHub(o.Sinks, o.Purpose, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Sensor{hub: hub, probe: o.openPort == nil}
	s.receiver = receive.New(receive.Config{
		Listen: o.Listen, Data: o.Data, Limits: o.Limits.ofStreams(), Dedup: o.Dedup, Hub: hub, Open: o.openPort, Log: o.Log,
	})
	s.control, err = control.New(control.Config{
		Listen: o.Listen, Rules: o.Rules, Aliases: o.Aliases, Limits: o.Limits.ofSessions(), Compiler: o.compiler, Begin: s.begin,
		BeginTestCall: s.beginTestCall, Open: o.openListener, Log: o.Log,
	})
	return s, err
}

// begin gives a session what the frames of its capture go to.
func (s *Sensor) begin(src sink.Source, overTCP bool, log *zap.Logger) (c control.Capture, soon bool, err error) {
	data, err := s.receiver.Begin(src, overTCP, log)
	if err != nil {
		return nil, errors.Is(err, receive.ErrPortsPending), err
	}
	return data, false, nil
}

// beginTestCall has the data ports send back the probes of an agent's host.
func (s *Sensor) beginTestCall(agent, local netip.Addr) (rpcap.ProbeOffer, func(), error) {
	c, err := s.receiver.BeginTestCall(agent, local)
	if err != nil {
		return rpcap.ProbeOffer{}, nil, err
	}
	return rpcap.ProbeOffer{Token: c.Token, Ports: c.Ports, Closed: c.Closed}, c.End, nil
}

// Run opens the listeners, serves agents and sinks until ctx is cancelled, then stops in order: STATS and ENDCAP to each
// agent (at most 2 s), what is on its way (at most 1 s), the sinks' statistics. It returns when everything has ended. The
// end of Options.Purpose ends it too: without an error if only its reader has gone. It can be called once.
func (s *Sensor) Run(ctx context.Context) error {
	if err := s.listen(); err != nil { // the first failure is the one to report
		return err
	}
	if s.probe && s.control.WantsUDP() {
		if err := s.receiver.Probe(); err != nil {
			s.control.Close()
			return err
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.hub.Start(stop)
	s.control.Serve(ctx)
	s.receiver.Close()
	return errors.Join(sink.Failure(context.Cause(ctx)), s.hub.Close())
}

// listen opens the ports of the rules that are in force when no reload runs.
func (s *Sensor) listen() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.control.Listen()
}

// Ready is closed when all listeners are open.
func (s *Sensor) Ready() <-chan struct{} { return s.control.Ready() }

// Addrs returns the listeners' addresses, in the order of the rules' ports.
func (s *Sensor) Addrs() []netip.AddrPort { return s.control.Addrs() }

// Peers describes the sessions, and after them the captures that have ended, summed up by name.
func (s *Sensor) Peers() []status.Peer { return s.control.Peers() }

// Sinks describes the outputs, the one of Options.Purpose last.
func (s *Sensor) Sinks() []sink.Status { return s.hub.Status() }

// Ports describes the open data ports.
func (s *Sensor) Ports() []status.Port { return s.receiver.Ports() }

// Counters returns the sensor's own sums.
func (s *Sensor) Counters() status.Counters {
	c := s.control.Counters()
	c.DedupForgotten = s.receiver.DedupForgotten()
	return c
}

// WriteSummary prints for each peer what it forwarded against what arrived, for people.
func (s *Sensor) WriteSummary(w io.Writer) error {
	return status.WriteSummary(w, s.Counters(), s.Peers(), s.Ports())
}
