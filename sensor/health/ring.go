package health

import "time"

// Defaults of the history for the charts: one hour, a point each 5 s, for each of so many peers.
const (
	historyPoints = 720
	historyPeers  = 1024
)

// rate is an index into point.
type rate int

// What a chart can show of a peer, each per second.
const (
	rateForwarded rate = iota // frames captured by the agent
	rateReceived              // frames that arrived
	rateBytes                 // bytes in them
	rateDropped               // frames the agent's host dropped: ring and interface
	rateMissing               // frames captured that never arrived
	rateCount
)

// point is the rates over one step.
type point [rateCount]float32

func (p *point) add(o *point) {
	for i := range p {
		p[i] += o[i]
	}
}

// ring holds the last points. Memory is taken as points come. Point number n of the tracker's steps is at n modulo the
// length; first is the number of the first one ever kept.
type ring struct {
	points []point
	first  uint64
}

// put stores the point of a step. Steps come in order, without gaps.
func (r *ring) put(step uint64, p point) {
	if len(r.points) == 0 {
		r.first = step
	}
	if len(r.points) < historyPoints {
		r.points = append(r.points, p)
		return
	}
	r.points[(step-r.first)%historyPoints] = p
}

// get returns the point of a step; ok is false before the first and after it was overwritten.
func (r *ring) get(step, newest uint64) (p *point, ok bool) {
	if len(r.points) == 0 || step < r.first || step > newest || newest-step >= historyPoints {
		return nil, false
	}
	i := (step - r.first) % historyPoints
	if i >= uint64(len(r.points)) {
		return nil, false
	}
	return &r.points[i], true
}

const (
	// recentBuckets minutes are looked back at to say what is wrong.
	recentBuckets = 10
	recentBucket  = time.Minute
)

// recent keeps the state of sums at the beginning of each of the last minutes.
type recent[T any] struct {
	at  [recentBuckets + 1]T
	n   int       // of them that are set
	due time.Time // when the next one is to be kept
}

// keep notes the sums if a minute has passed.
func (r *recent[T]) keep(now time.Time, sums T) {
	if r.n > 0 && now.Before(r.due) {
		return
	}
	copy(r.at[1:], r.at[:recentBuckets])
	r.at[0] = sums
	r.n = min(r.n+1, len(r.at))
	r.due = now.Add(recentBucket)
}

// oldest is the earliest state known: about ten minutes ago, or when it was seen first.
func (r *recent[T]) oldest() *T { return &r.at[max(r.n, 1)-1] }

// stepTime is the distance of the points of the history.
const stepTime = 5 * time.Second
