package health

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
