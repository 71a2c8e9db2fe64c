package health

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"rpcapd/printable"
)

// HistoryAnswer is what /api/v1/history says. Parameters: minutes (1 to 60), points (at most, 2 to 720), top (how many
// peers have a line of their own) or peer (one peer alone). The last value is the newest; a value before the first look
// is null.
type HistoryAnswer struct {
	Time  time.Time `json:"time"`         // of the last value
	Step  float64   `json:"step_seconds"` // between values
	Peers []Series  `json:"peers"`        // those with the most frames first
	Other *Series   `json:"others"`       // the sum of all other peers; null if there are none
	Total Series    `json:"total"`        // the sum of all peers, or the peer asked for
}

// Series is the rates of one peer, per second.
type Series struct {
	Name      string     `json:"name"`
	Forwarded []*float64 `json:"forwarded"` // frames captured by the agent
	Received  []*float64 `json:"received"`  // frames that arrived
	Bytes     []*float64 `json:"bytes"`     // bytes in them
	Dropped   []*float64 `json:"dropped"`   // frames dropped on the agent's host
	Missing   []*float64 `json:"missing"`   // frames that never arrived
}

// chart makes the answer.
func (t *tracker) chart(q *query) (*HistoryAnswer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	steps := q.minutes * int(time.Minute/stepTime)
	group := (steps + q.points - 1) / q.points
	c := charter{newest: t.newest, group: uint64(group), count: steps / group}
	a := &HistoryAnswer{
		Time: t.newestAt, Step: (stepTime * time.Duration(group)).Seconds(), Peers: []Series{},
		Total: c.series("total", &t.history),
	}
	if q.peer != "" {
		for id, r := range t.records {
			if id.name() == q.peer && !r.hidden {
				a.Total = c.series(q.peer, r.history)
				return a, nil
			}
		}
		return nil, fmt.Errorf("peer %q: no peer has this name", printable.Line(q.peer, printable.MaxName))
	}
	shown := t.busiest(&c, q.top)
	sums := make([]point, c.count)
	for _, r := range shown {
		a.Peers = append(a.Peers, c.series(r.id.name(), r.history))
		for i, p := range c.points(r.history) {
			if p != nil {
				sums[i].add(p)
			}
		}
	}
	if len(shown) < t.shown() {
		rest := c.points(&t.history)
		for i, p := range rest {
			for k := range sums[i] {
				if p != nil {
					p[k] = max(0, p[k]-sums[i][k])
				}
			}
		}
		o := seriesOf("others", rest)
		a.Other = &o
	}
	return a, nil
}

// shown counts the peers that are not hidden.
func (t *tracker) shown() (n int) {
	for _, r := range t.records {
		if !r.hidden {
			n++
		}
	}
	return n
}

// busiest returns the peers with the most frames within the time that is looked at.
func (t *tracker) busiest(c *charter, most int) []*record {
	type busy struct {
		r *record
		n float32
	}
	var list []busy
	for _, r := range t.records {
		if r.hidden || r.history == nil {
			continue
		}
		b := busy{r: r}
		for _, p := range c.points(r.history) {
			if p != nil {
				b.n += max(p[rateForwarded], p[rateReceived])
			}
		}
		if b.n > 0 {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b busy) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.r.id.name(), b.r.id.name())) })
	var out []*record
	for _, b := range list[:min(most, len(list))] {
		out = append(out, b.r)
	}
	return out
}

// charter reads rings: count values, each the mean of a group of steps, the last one ending with the newest step. Groups
// begin at multiples of their length, so that a value does not change while new ones come.
type charter struct {
	newest, group uint64
	count         int
}

// points has nil where nothing is known.
func (c *charter) points(r *ring) []*point {
	out := make([]*point, c.count)
	if r == nil {
		return out
	}
	last := c.newest / c.group // the group that is being filled
	for i := range out {
		back := uint64(c.count - 1 - i)
		if back > last {
			continue
		}
		first := (last - back) * c.group
		var sum point
		n := float32(0)
		for s := first; s < first+c.group; s++ {
			if p, ok := r.get(s, c.newest); ok {
				sum.add(p)
				n++
			}
		}
		if n > 0 {
			for k := range sum {
				sum[k] /= n
			}
			out[i] = &sum
		}
	}
	return out
}

func (c *charter) series(name string, r *ring) Series { return seriesOf(name, c.points(r)) }

func seriesOf(name string, points []*point) Series {
	s := Series{Name: name}
	for k, to := range []*[]*float64{&s.Forwarded, &s.Received, &s.Bytes, &s.Dropped, &s.Missing} {
		*to = make([]*float64, len(points))
		for i, p := range points {
			if p != nil {
				v := math.Round(float64(p[k])*10) / 10
				(*to)[i] = &v
			}
		}
	}
	return s
}
