package sensor

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"rpcapd/sensor/address"
	"rpcapd/sensor/oncelog"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/sensor/tcpdump"

	"go.uber.org/zap"
)

// Sensor accepts agents and feeds their frames to sinks.
type Sensor struct {
	opts       Options
	log        *zap.Logger
	compiler   rule.Compiler
	names      *nameTable
	receiver   *receive.Receiver
	hub        *sink.Hub
	held       *heldConns
	history    *status.History
	sessionLog *status.SessionLog
	budget     *messageBudget
	repeats    *oncelog.Log   // of what agents that come again and again make the sensor say
	ready      chan struct{}  // closed when all listeners are open
	wg         sync.WaitGroup // listeners and sessions

	reloading sync.Mutex // held for a whole Reload; before all others
	telling   sync.Mutex // held by Peers, and while a capture moves from the running ones to the ended ones

	mu         sync.Mutex // guards what follows; see doc.go
	rules      *rule.Set
	listeners  map[uint16]*listener // by the port that the rules name
	serve      func(*listener)      // nil but while Run runs
	sessions   map[*session]struct{}
	perAddress map[netip.Addr]int
	counters   status.Counters
	stopping   bool
	limits     Limits
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
	s := &Sensor{
		opts: o, rules: rule.NewSet(o.Rules), log: o.Log,
		compiler: tcpdump.NewCompiler(),
		names:    newNameTable(o.Aliases),
		hub:      hub,
		receiver: receive.New(receive.Config{
			Listen: o.Listen, Data: o.Data, Limits: o.Limits.ofStreams(), Dedup: o.Dedup, Hub: hub, Open: o.openPort, Log: o.Log,
		}),
		limits:     o.Limits,
		held:       newHeldConns(o.Limits, o.Log),
		history:    status.NewHistory(),
		sessionLog: status.NewSessionLog(),
		budget:     newMessageBudget(),
		repeats:    new(oncelog.Log),
		ready:      make(chan struct{}),

		listeners:  make(map[uint16]*listener),
		sessions:   make(map[*session]struct{}),
		perAddress: make(map[netip.Addr]int),
	}
	return s, s.checkFilters(context.Background(), o.Rules)
}

// Run opens the listeners, serves agents and sinks until ctx is cancelled, then stops in order: STATS and ENDCAP to each
// agent (at most 2 s), what is on its way (at most 1 s), the sinks' statistics. It returns when everything has ended. The
// end of Options.Purpose ends it too: without an error if only its reader has gone. It can be called once.
func (s *Sensor) Run(ctx context.Context) error {
	s.mu.Lock()
	ports, rules := s.rules.Ports, s.rules.All
	s.mu.Unlock()
	listeners, err := s.listen(ports)
	if err == nil && s.opts.openPort == nil && slices.ContainsFunc(rules, func(r *rule.Rule) bool { return !r.TCP }) {
		err = s.receiver.Probe()
	}
	if err != nil {
		closeListeners(listeners) // the first failure is the one to report
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.hub.Start(stop)
	s.begin(listeners, func(l *listener) { s.wg.Go(func() { l.run(ctx) }) })
	close(s.ready)

	<-ctx.Done()
	s.log.Info("stopping", zap.Int("sessions", s.stopAccepting()))
	s.held.close()
	s.wg.Wait()
	s.receiver.Close()
	return errors.Join(sink.Failure(context.Cause(ctx)), s.hub.Close())
}

// begin serves the first listeners; serve is kept for those that a reload brings.
func (s *Sensor) begin(listeners map[uint16]*listener, serve func(*listener)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners, s.serve = listeners, serve
	for _, l := range listeners {
		serve(l)
	}
}

// stopAccepting closes the listeners, makes accept turn connections away and returns the number of sessions left.
func (s *Sensor) stopAccepting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for _, l := range s.listeners {
		_ = l.tcp.Close() // its run ends
	}
	return len(s.sessions)
}

// listen opens one listener for each port. On an error none stays open.
func (s *Sensor) listen(ports []uint16) (map[uint16]*listener, error) {
	addr := s.opts.Listen
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	out := make(map[uint16]*listener)
	for _, port := range ports {
		tcp, err := address.ListenTCP(netip.AddrPortFrom(addr, port))
		if err != nil {
			closeListeners(out)
			return nil, err
		}
		out[port] = &listener{sensor: s, tcp: tcp, port: port}
		s.log.Info("waiting for agents", zap.Stringer("address", tcp.Addr()))
	}
	return out, nil
}

func closeListeners(all map[uint16]*listener) {
	for _, l := range all {
		_ = l.tcp.Close() // nobody was accepted
	}
}

// Ready is closed when all listeners are open.
func (s *Sensor) Ready() <-chan struct{} { return s.ready }

// Addrs returns the listeners' addresses, in the order of the rules' ports.
func (s *Sensor) Addrs() (out []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, port := range s.rules.Ports {
		if l := s.listeners[port]; l != nil {
			out = append(out, address.OfTCP(l.tcp.Addr()))
		}
	}
	return out
}

// Peers describes the sessions, and after them the captures that have ended, summed up by name.
func (s *Sensor) Peers() []status.Peer {
	s.telling.Lock()
	defer s.telling.Unlock()
	var out []status.Peer
	for _, ss := range s.live(netip.Addr{}) {
		out = append(out, ss.snapshot())
	}
	slices.SortFunc(out, func(a, b status.Peer) int {
		return strings.Compare(a.Name+"\x00"+a.Address.String(), b.Name+"\x00"+b.Address.String())
	})
	ended := s.history.List()
	for i := range ended {
		s.sessionLog.Fill(&ended[i])
	}
	return append(out, ended...)
}

// Sinks describes the outputs, the one of Options.Purpose last.
func (s *Sensor) Sinks() []sink.Status { return s.hub.Status() }

// Ports describes the open data ports.
func (s *Sensor) Ports() []status.Port { return s.receiver.Ports() }

// Counters returns the sensor's own sums.
func (s *Sensor) Counters() status.Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counters
	c.DedupForgotten = s.receiver.DedupForgotten()
	return c
}

// WriteSummary prints for each peer what it forwarded against what arrived, for people.
func (s *Sensor) WriteSummary(w io.Writer) error {
	return status.WriteSummary(w, s.Counters(), s.Peers(), s.Ports())
}

// live returns the sessions of an address, or all for the zero address.
func (s *Sensor) live(addr netip.Addr) []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*session
	for ss := range s.sessions {
		if !addr.IsValid() || ss.peer.Addr() == addr {
			out = append(out, ss)
		}
	}
	return out
}

// probeOlder makes the older sessions of the same address prove that their agent is alive: ExtraHop's agent leaves
// without closing its connection. It does not wait.
func (s *Sensor) probeOlder(newer *session) {
	for _, ss := range s.live(newer.peer.Addr()) {
		if ss != newer && ss.since.Before(newer.since) {
			ss.probe()
		}
	}
}

// awaitOlder waits until each older session of the same address has proved itself or has ended, at most a little longer
// than a probe may take.
func (s *Sensor) awaitOlder(ctx context.Context, newer *session) error {
	timer := time.NewTimer(probeTimeout + 500*time.Millisecond)
	defer timer.Stop()
	for _, ss := range s.live(newer.peer.Addr()) {
		if ss == newer || !ss.since.Before(newer.since) {
			continue
		}
		select {
		case <-ss.probe():
		case <-ss.closed:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return errStopped
		}
	}
	return nil
}
