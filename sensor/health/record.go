package health

import (
	"math"
	"time"

	"rpcapd/printable"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

const (
	// keepEnded is how long a peer that has left is shown.
	keepEnded = time.Hour
	// maxEnded bounds their number; those that left first go first.
	maxEnded = 1024
	// holdRate is how long the rate of the last answer to STATS holds without another: they come each 5 s.
	holdRate = 12 * time.Second
	// othersName is under what the sensor sums up the captures beyond the names it keeps.
	othersName = "(others)"
)

// record is what the tracker knows of one peer.
type record struct {
	id     identity
	peer   Peer // without counters
	known  bool // the agent has said something of its capture
	hidden bool // has left long ago: kept only so as not to be taken for news
	live   bool
	ended  time.Time // when it was first seen to be gone

	before counters // what the sensor said last
	sums   counters // what was counted under this name
	sinks  map[string]sink.Counters

	endings int // captures that have ended, as the sensor said last
	recent  recent[counters]

	history  *ring // nil if there are too many peers
	stepSums counters
	report   counters // the agent's numbers when they changed last
	reported time.Time
	rates    point
}

// observation is what the sensor tells of one peer at one moment, all its sessions together.
type observation struct {
	newest  *status.Peer // of the running sessions, else what has ended
	running *status.Peer // the newest running one, nil without
	first   time.Time    // when the first of them has connected
	sums    counters
	known   bool
	atLeast bool // a capture has ended without final numbers
	endings int
	sinks   map[string]sink.Counters
}

// add takes in one session, or the sum of those that have ended.
func (s *observation) add(p *status.Peer) {
	c := countersOf(p)
	s.sums.add(&c)
	s.known = s.known || p.Forwarded.Known
	s.atLeast = s.atLeast || p.Tail == status.TailUnknown
	if s.first.IsZero() || p.Since.Before(s.first) {
		s.first = p.Since
	}
	if len(p.BySink) > 0 && s.sinks == nil {
		s.sinks = make(map[string]sink.Counters, len(p.BySink))
	}
	for name, c := range p.BySink {
		sum := s.sinks[name]
		sum.Written += c.Written
		sum.Bytes += c.Bytes
		sum.Dropped += c.Dropped
		s.sinks[name] = sum
	}
	if p.State == status.StateEnded {
		s.endings += p.Sessions
		if s.newest == nil {
			s.newest = p
		}
		return
	}
	if s.running == nil || p.Since.After(s.running.Since) {
		s.newest, s.running = p, p
	}
}

// see brings the record up to date.
func (r *record) see(s *observation, now time.Time) {
	r.sums.advance(&s.sums, &r.before)
	r.before, r.endings, r.known, r.sinks = s.sums, s.endings, s.known || r.known, s.sinks
	describe(&r.peer, s.newest)
	r.peer.MissingAtLeast = s.atLeast
	r.peer.Session = nil
	if s.running != nil {
		r.live, r.hidden, r.peer.Ended = true, false, nil
		r.peer.Session = sessionOf(s.running)
		return
	}
	r.gone(now)
}

// gone notes that no session of this name runs.
func (r *record) gone(now time.Time) {
	if r.live || r.peer.Ended == nil {
		r.ended = now
		ended := now
		r.peer.Ended = &ended
	}
	r.live = false
	r.peer.State, r.peer.Session = string(status.StateEnded), nil
	r.peer.Unaccounted, r.peer.UnaccountedSince, r.peer.NoSegmentation = 0, nil, false
}

// step closes one step of the history.
func (r *record) step(number uint64, now time.Time, d time.Duration) {
	seconds := float32(d.Seconds())
	diff := r.sums.since(&r.stepSums)
	r.stepSums = r.sums
	r.rates[rateReceived] = float32(diff[frames]) / seconds
	r.rates[rateBytes] = float32(diff[frameBytes]) / seconds
	r.rates[rateMissing] = float32(diff[missing]) / seconds
	r.agentRates(now, d)
	if r.history != nil {
		r.history.put(number, r.rates)
	}
}

// agentRates derives rates from what the agent says, which changes in steps of its own.
func (r *record) agentRates(now time.Time, d time.Duration) {
	diff := r.sums.since(&r.report)
	dropped := diff[ringDropped] + diff[ifDropped]
	switch {
	case diff[captured]+dropped > 0:
		over := float32(d.Seconds())
		if age := now.Sub(r.reported); age < holdRate {
			over = float32(max(age, stepTime).Seconds())
		}
		r.rates[rateForwarded], r.rates[rateDropped] = float32(diff[captured])/over, float32(dropped)/over
		r.report, r.reported = r.sums, now
	case now.Sub(r.reported) >= holdRate || !r.live:
		r.rates[rateForwarded], r.rates[rateDropped] = 0, 0
	}
}

// snapshot is the peer as others see it.
func (r *record) snapshot() Peer {
	p := r.peer
	p.Name, p.Agent, p.Interface = r.id.name(), r.id.agent, r.id.iface
	p.setCounters(&r.sums, r.known)
	p.Reconnects = r.sums[reconnects]
	p.Rates = ratesOf(&r.rates)
	p.Sinks = make([]SinkFrames, 0, len(r.sinks))
	for _, name := range sortedKeys(r.sinks) {
		c := r.sinks[name]
		p.Sinks = append(p.Sinks, SinkFrames{Sink: printable.Line(name, printable.MaxText), Written: c.Written, Bytes: c.Bytes, Dropped: c.Dropped})
	}
	return p
}

func ratesOf(p *point) Rates {
	return Rates{
		Forwarded: tenth(p[rateForwarded]), Received: tenth(p[rateReceived]), Bytes: tenth(p[rateBytes]),
		Dropped: tenth(p[rateDropped]), Missing: tenth(p[rateMissing]),
	}
}

// tenth rounds to what is worth showing.
func tenth(v float32) float64 { return math.Round(float64(v)*10) / 10 }
