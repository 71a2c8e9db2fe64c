package sensor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// sinkCloseTimeout bounds how long a sink may take to write what is queued and its statistics.
const sinkCloseTimeout = 3 * time.Second

// Sensor accepts agents and feeds their frames to sinks.
type Sensor struct {
	opts     Options
	rules    []Rule
	log      *zap.Logger
	compiler *compiler
	names    *nameTable
	ports    *portPool
	held     *heldConns
	history  *history
	ready    chan struct{}  // closed when all listeners are open
	wg       sync.WaitGroup // listeners and sessions

	mu         sync.Mutex // first in the lock order
	sessions   map[*session]struct{}
	perAddress map[netip.Addr]int
	counters   Counters
	addrs      []netip.AddrPort
	stopping   bool
}

// New checks the options and compiles the rules' filters for Ethernet, so that a bad one is found at once. It opens
// nothing; Run does.
func New(o Options) (*Sensor, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Log = o.Log.Named("sensor")
	s := &Sensor{
		opts: o, rules: slices.Clone(o.Rules), log: o.Log,
		compiler: newCompiler(),
		names:    newNameTable(o.Aliases),
		ports:    newPortPool(&o),
		held:     newHeldConns(o.Limits, o.Log),
		history:  newHistory(),
		ready:    make(chan struct{}),

		sessions:   make(map[*session]struct{}),
		perAddress: make(map[netip.Addr]int),
	}
	var errs []error
	for _, r := range s.rules {
		if _, err := s.compiler.compile(context.Background(), r.Filter, linkEthernet); err != nil {
			errs = append(errs, fmt.Errorf("rule %s: %w", r.Name, err))
		}
	}
	return s, errors.Join(errs...)
}

// Run opens the listeners, serves agents and sinks until ctx is cancelled, then stops in order: STATS and ENDCAP to each
// agent (at most 2 s), what is on its way (at most 1 s), the sinks' statistics. It returns when everything has ended. A
// sink whose consumer has gone ends it too, without an error; a sink that fails, with one. It can be called once.
func (s *Sensor) Run(ctx context.Context) error {
	listeners, err := s.listen()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sinks := s.startSinks(stop)
	for _, l := range listeners {
		s.wg.Go(func() { l.run(ctx) })
	}
	close(s.ready)

	<-ctx.Done()
	s.log.Info("stopping", zap.Int("sessions", s.stopAccepting()))
	for _, l := range listeners {
		_ = l.tcp.Close() // opened by listen, closed only here
	}
	s.held.close()
	s.wg.Wait()
	s.ports.close()
	return errors.Join(sinkFailure(context.Cause(ctx)), sinks.close())
}

// stopAccepting makes accept turn connections away and returns the number of sessions left.
func (s *Sensor) stopAccepting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	return len(s.sessions)
}

// listen opens one listener for each distinct port of the rules.
func (s *Sensor) listen() (out []*listener, err error) {
	addr := s.opts.Listen
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	byPort := make(map[uint16]*listener)
	for i := range s.rules {
		r := &s.rules[i]
		l := byPort[r.Port]
		if l == nil {
			tcp, err := listenTCP(netip.AddrPortFrom(addr, r.Port))
			if err != nil {
				for _, l := range out {
					_ = l.tcp.Close() // the first failure is the one to report
				}
				return nil, err
			}
			l = &listener{sensor: s, tcp: tcp}
			byPort[r.Port] = l
			out = append(out, l)
			s.log.Info("waiting for agents", zap.Stringer("address", tcp.Addr()))
			s.mu.Lock()
			s.addrs = append(s.addrs, addrPort(tcp.Addr()))
			s.mu.Unlock()
		}
		l.rules = append(l.rules, r)
	}
	return out, nil
}

// runningSinks are the sinks' goroutines.
type runningSinks struct {
	cancel context.CancelFunc
	done   chan error // one result for each that had not failed before
	names  []string
	log    *zap.Logger
}

// startSinks runs every sink; one that returns early stops the sensor.
func (s *Sensor) startSinks(stop context.CancelCauseFunc) *runningSinks {
	ctx, cancel := context.WithCancel(context.Background())
	r := &runningSinks{cancel: cancel, done: make(chan error, len(s.opts.Sinks)), log: s.log}
	for _, k := range s.opts.Sinks {
		r.names = append(r.names, k.Name())
		go func() {
			err := k.Run(ctx)
			if err != nil && ctx.Err() == nil {
				stop(sinkError{err})
				err = nil
			}
			r.done <- err
		}()
	}
	return r
}

// close tells the sinks to finish and waits for them.
func (r *runningSinks) close() error {
	r.cancel()
	timer := time.NewTimer(sinkCloseTimeout)
	defer timer.Stop()
	var errs []error
	for range r.names {
		select {
		case err := <-r.done:
			if errors.Is(err, ErrConsumerGone) {
				err = nil
			}
			errs = append(errs, err)
		case <-timer.C:
			errs = append(errs, fmt.Errorf("finish output (%s): not written within %v", strings.Join(r.names, ", "), sinkCloseTimeout))
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// sinkError is the cause of a stop that a sink has brought about.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// sinkFailure is the error of such a stop, nil if it only lost its reader.
func sinkFailure(cause error) error {
	var e sinkError
	if errors.As(cause, &e) && !errors.Is(e, ErrConsumerGone) {
		return e.error
	}
	return nil
}

// Ready is closed when all listeners are open.
func (s *Sensor) Ready() <-chan struct{} { return s.ready }

// Addrs returns the listeners' addresses, in the order of the rules' ports.
func (s *Sensor) Addrs() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.addrs)
}

// Peers describes the sessions, and after them the captures that have ended, summed up by name.
func (s *Sensor) Peers() []PeerStatus {
	var out []PeerStatus
	for _, ss := range s.live(netip.Addr{}) {
		out = append(out, ss.snapshot())
	}
	slices.SortFunc(out, func(a, b PeerStatus) int {
		return strings.Compare(a.Name+"\x00"+a.Address.String(), b.Name+"\x00"+b.Address.String())
	})
	return append(out, s.history.list()...)
}

// Ports describes the open data ports.
func (s *Sensor) Ports() []PortStatus { return s.ports.status() }

// Counters returns the sensor's own sums.
func (s *Sensor) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters
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
