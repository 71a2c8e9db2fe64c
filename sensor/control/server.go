package control

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/oncelog"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"

	"go.uber.org/zap"
)

// Config is what New needs, all of it but where it says otherwise.
type Config struct {
	Listen   netip.Addr // address of the listeners; the zero value is every address
	Rules    []rule.Rule
	Aliases  map[netip.Addr]string // names shown instead of agents' addresses
	Limits   Limits
	Compiler rule.Compiler                              // of the rules' filters
	Open     func(netip.AddrPort) (net.Listener, error) // opens a TCP port; nil: a socket of the system
	Log      *zap.Logger

	// Begin opens what the frames of a capture go to. soon tells that there is no port now, and that one will be free in a
	// second or so.
	Begin func(src sink.Source, overTCP bool, log *zap.Logger) (c Capture, soon bool, err error)

	// BeginTestCall has the data ports send back the probes of an agent's host, which has dialled the address local, until
	// end is called; nil: no test calls. Token, Ports and Closed of the offer are filled in.
	BeginTestCall func(agent, local netip.Addr) (offer rpcap.ProbeOffer, end func(), err error)
}

// New checks the rules' filters and opens nothing.
func New(c Config) (*Server, error) {
	s := &Server{
		addr: c.Listen, open: c.Open, begin: c.Begin, testCall: c.BeginTestCall, log: c.Log, compiler: c.Compiler, rules: rule.NewSet(c.Rules), limits: c.Limits,
		names:      newNameTable(c.Aliases),
		held:       newHeldConns(c.Limits, c.Log),
		history:    status.NewHistory(),
		sessionLog: status.NewSessionLog(),
		budget:     newMessageBudget(),
		repeats:    new(oncelog.Log),
		ready:      make(chan struct{}),

		sessions:   make(map[*session]struct{}),
		perAddress: make(map[netip.Addr]int),
	}
	if !s.addr.IsValid() {
		s.addr = netip.IPv6Unspecified()
	}
	if s.open == nil {
		s.open = func(a netip.AddrPort) (net.Listener, error) { return address.ListenTCP(a) }
	}
	return s, s.checkFilters(context.Background(), c.Rules)
}

// Listen opens the rules' ports. On an error none stays open. Serve or Close follows. No Reload runs meanwhile.
func (s *Server) Listen() error {
	s.mu.Lock()
	ports := s.rules.Ports
	s.mu.Unlock()
	opened, err := s.listen(ports)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = opened
	return nil
}

// Serve serves agents until ctx ends, then ends the sessions in order, and returns when all have ended. It can be called once.
func (s *Server) Serve(ctx context.Context) {
	s.start(func(l *listener) { s.wg.Go(func() { l.run(ctx) }) })
	close(s.ready)
	<-ctx.Done()
	s.log.Info("stopping", zap.Int("sessions", s.stopAccepting()))
	s.held.close()
	s.wg.Wait()
}

// Close closes the listeners when Serve will not be called.
func (s *Server) Close() { s.stopAccepting() }

// start serves the first listeners; serve is kept for those that a reload brings.
func (s *Server) start(serve func(*listener)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve = serve
	for _, l := range s.listeners {
		serve(l)
	}
}

// stopAccepting closes the listeners, makes accept turn connections away and returns the number of sessions left.
func (s *Server) stopAccepting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	closeListeners(s.listeners)
	return len(s.sessions)
}

// Ready is closed when the first listeners are served.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addrs returns the listeners' addresses, in the order of the rules' ports.
func (s *Server) Addrs() (out []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, port := range s.rules.Ports {
		if l := s.listeners[port]; l != nil {
			out = append(out, address.OfTCP(l.tcp.Addr()))
		}
	}
	return out
}

// WantsUDP reports whether the frames of a rule come over UDP.
func (s *Server) WantsUDP() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.rules.All, func(r *rule.Rule) bool { return !r.TCP })
}

// SetLimits puts other numbers in force, from the next connection on. Held and HeldPerAddress stay.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
}
