package receive

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"rpcapd/sensor/address"
	"rpcapd/udpstr"
)

const (
	// maxTestCalls bounds the test calls at once, and callsPerAddress those of one address.
	maxTestCalls    = 32
	callsPerAddress = 4
	// echoRate and echoBurst bound the probes of a call that are sent back, per second and at once. A test of 64 ports with
	// three sizes takes some hundred.
	echoRate  = 500
	echoBurst = 256
	// echoTotal bounds them over the whole call.
	echoTotal = 4096
)

// ErrTestCalls means that as many test calls run as may.
var ErrTestCalls = errors.New("too many test calls at once; try again in a minute")

// answerer is a Socket that can send from its port.
type answerer interface {
	Answer(b []byte, from netip.Addr, to netip.AddrPort) error
}

// TestCall is a test of the path from one agent's host: while it lasts the data ports send its probes back. Its fields do not
// change.
type TestCall struct {
	Token  uint64   // that the probes must have
	Ports  []uint16 // that answer
	Closed []uint16 // that could not be opened

	receiver *Receiver
	agent    netip.Addr
	local    netip.Addr // what the agent has dialled
	end      sync.Once
	budget   echoBudget // guarded by testCalls.mu
}

// echoBudget is a token bucket, with an end.
type echoBudget struct {
	left  float64
	at    time.Time
	total int
}

func (b *echoBudget) take(now time.Time) bool {
	b.left = min(echoBurst, b.left+now.Sub(b.at).Seconds()*echoRate)
	b.at = now
	if b.left < 1 || b.total >= echoTotal {
		return false
	}
	b.left--
	b.total++
	return true
}

// testCalls are those that run.
type testCalls struct {
	mu    sync.Mutex // a leaf
	calls map[uint64]*TestCall
}

// add takes a call among them.
func (t *testCalls) add(c *TestCall) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	same := 0
	for _, other := range t.calls {
		if other.agent == c.agent {
			same++
		}
	}
	if len(t.calls) >= maxTestCalls || same >= callsPerAddress {
		return ErrTestCalls
	}
	if t.calls == nil {
		t.calls = make(map[uint64]*TestCall)
	}
	t.calls[c.Token] = c
	return nil
}

func (t *testCalls) remove(c *TestCall) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, c.Token)
}

// allow says from which address a probe is to be sent back; ok is false if it is not: nobody's, or too many.
func (t *testCalls) allow(p udpstr.Probe, src netip.Addr, now time.Time) (from netip.Addr, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.calls[p.Token]
	if c == nil || c.agent != src || !c.budget.take(now) {
		return netip.Addr{}, false
	}
	return c.local, true
}

// BeginTestCall opens all data ports and has them send probes of the agent back until End. local is the address that the agent
// has dialled.
func (r *Receiver) BeginTestCall(agent, local netip.Addr) (*TestCall, error) {
	var token [8]byte
	if _, err := rand.Read(token[:]); err != nil {
		return nil, err
	}
	c := &TestCall{Token: binary.BigEndian.Uint64(token[:]), receiver: r, agent: agent, local: local}
	c.budget = echoBudget{left: echoBurst, at: time.Now()}
	if err := r.ports.calls.add(c); err != nil {
		return nil, err
	}
	c.Ports, c.Closed = r.ports.openAll(agent)
	return c, nil
}

// End ends the call. The ports stay open, as all do.
func (c *TestCall) End() {
	c.end.Do(func() {
		c.receiver.ports.calls.remove(c)
		c.receiver.ports.dismiss(c.agent)
	})
}

// openAll opens what is not open yet, and lets through what a guest sends.
func (p *portPool) openAll(guest netip.Addr) (open, closed []uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.guests[guest]++
	for i := range p.slots {
		c := &p.slots[i]
		if c.port == nil && (now.Before(c.retry) || p.openSlot(c) != nil) {
			c.retry = now.Add(reopenAfter)
			closed = append(closed, c.number)
			continue
		}
		open = append(open, c.port.port)
		p.expect(c)
	}
	slices.Sort(open)
	slices.Sort(closed)
	return open, closed
}

// dismiss forgets a guest.
func (p *portPool) dismiss(guest netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.guests[guest]--; p.guests[guest] > 0 {
		return
	}
	delete(p.guests, guest)
	for i := range p.slots {
		if p.slots[i].port != nil {
			p.expect(&p.slots[i])
		}
	}
}

// echo sends a probe back, with the same length, if a test call has sent it; the others are counted. It reports whether the
// datagram is a probe at all. What is sent back is never more than what has come.
func (p *dataPort) echo(src netip.AddrPort, b []byte, now time.Time) bool {
	probe, ok := udpstr.ParseProbe(b)
	if !ok || p.calls == nil {
		return false
	}
	to, ok := p.sock.(answerer)
	if !ok {
		return false
	}
	from, ok := p.calls.allow(probe, address.Plain(src.Addr()), now)
	if !ok {
		p.refusedProbes++
		return true
	}
	udpstr.MakeEcho(b)
	if to.Answer(b, from, src) != nil {
		p.refusedProbes++ // the sender learns it by the silence
		return true
	}
	p.echoed++
	return true
}
