package simulator

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxAgents is how many a fleet can have: their addresses are 127.1.0.1 and following.
const MaxAgents = 1 << 16

// Bounds of what the fleet remembers.
const (
	mostAttempts   = 1 << 17
	mostComplaints = 32
)

// Load is what the captures of a fleet send.
type Load struct {
	Sending int     `json:"sending"` // how many of the agents, the first ones
	Rate    float64 `json:"rate"`    // frames of IMIX per second, each
}

// Attempt is an agent's dialing.
type Attempt struct {
	At     time.Time `json:"at"`
	Failed bool      `json:"failed"`
}

// Numbers is the state of a fleet.
type Numbers struct {
	Connected int `json:"connected"` // control connections
	Capturing int `json:"capturing"`

	Packed      uint64 `json:"packed"`    // frames, since the beginning
	Datagrams   uint64 `json:"datagrams"` // sent
	SendDropped uint64 `json:"send_dropped"`

	Attempts   []Attempt       `json:"attempts"`   // since the last Numbers
	Handshakes []time.Duration `json:"handshakes"` // from connection to STARTCAP, likewise
	Complaints []string        `json:"complaints"` // what went wrong beside lost connections, each once
}

// Fleet is a number of agents.
type Fleet struct {
	sensor netip.AddrPort
	agents []*agent

	connected, capturing atomic.Int64
	sums                 sums

	mu         sync.Mutex
	load       Load
	changed    chan struct{} // closed when the load changes
	attempts   []Attempt
	handshakes []time.Duration
	complaints []string
}

// New makes a fleet for a sensor's control port. It starts nothing.
func New(agents int, sensor netip.AddrPort) (*Fleet, error) {
	if agents < 1 || agents > MaxAgents {
		return nil, fmt.Errorf("make fleet: %d agents: not within 1 to %d", agents, MaxAgents)
	}
	f := &Fleet{sensor: sensor, changed: make(chan struct{})}
	for i := range agents {
		f.agents = append(f.agents, &agent{fleet: f, index: i, addr: address(i)})
	}
	return f, nil
}

// address of agent i: 127.1.0.1 and following, without 0 and 255 at the end.
func address(i int) netip.Addr {
	const each = 254
	return netip.AddrFrom4([4]byte{127, byte(1 + i/each/256), byte(i / each % 256), byte(1 + i%each)})
}

// Run lets all agents go at once and returns when ctx has ended and all have stopped.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, a := range f.agents {
		wg.Go(func() { a.run(ctx) })
	}
	wg.Wait()
}

// SetLoad sets what is sent from now on.
func (f *Fleet) SetLoad(l Load) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load = l
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *Fleet) loadNow() (Load, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load, f.changed
}

// Numbers returns the state, and what happened since the last call.
func (f *Fleet) Numbers() Numbers {
	n := Numbers{
		Connected: int(f.connected.Load()), Capturing: int(f.capturing.Load()),
		Packed: f.sums.packed.Load(), Datagrams: f.sums.datagrams.Load(), SendDropped: f.sums.dropped.Load(),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n.Attempts, n.Handshakes, n.Complaints = f.attempts, f.handshakes, slices.Clone(f.complaints)
	f.attempts, f.handshakes = nil, nil
	return n
}

func (f *Fleet) attempted(at time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.attempts) < mostAttempts {
		f.attempts = append(f.attempts, Attempt{at, err != nil})
	}
}

// started is told how long a connection took to its capture.
func (f *Fleet) started(after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.handshakes) < mostAttempts {
		f.handshakes = append(f.handshakes, after)
	}
}

// complained remembers a text once.
func (f *Fleet) complained(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := err.Error(); len(f.complaints) < mostComplaints && !slices.Contains(f.complaints, text) {
		f.complaints = append(f.complaints, text)
	}
}
