package main

import "fmt"

// bound is something that is promised, and the worst of what was measured.
type bound struct {
	Promise  string
	Measured string
	Kept     bool
}

const (
	idleBound   = 0.2      // per cent of a core
	memoryBound = 28 << 20 // bytes, with the default ring
	delayBound  = 25       // milliseconds, 99.9 % of the frames
	runBound    = 30       // datagrams, mean
	loadedRate  = 60_000   // frames per second from which on the agent is under load
)

// bounds compares what was measured with what is promised; what was not measured is
// left out.
func (r *report) bounds() (list []bound) {
	add := func(kept bool, promise, format string, args ...any) {
		list = append(list, bound{promise, fmt.Sprintf(format, args...), kept})
	}
	if i := r.Idle; i != nil {
		add(i.CPUPercent < idleBound, "idle under 0.2 % of a core", "%.3f %%", i.CPUPercent)
	}
	if p, x := r.worst(func(p *point) (float64, bool) { return mostMemory(p), true }); p != nil {
		add(x <= memoryBound, "at most 28 MiB of memory with the default ring", "%s MiB%s", mebibytes(uint64(x)), at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) { return agentLoss(p), p.Sink != nil }); p != nil {
		add(x == 0, "no frame lost in the agent at any rate", "%s %%%s", percent(x), at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		return agentLoss(p), p.Sink != nil && p.Size == "1514" && p.Rate == 0
	}); p != nil {
		add(x == 0, "no frame of 1,514 bytes lost as fast as they can be made", "%s %%%s", percent(x), at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		if p.Sink == nil || p.Jumbo || p.Rate != 0 && p.Rate < loadedRate || p.Sink.SendDropped > 0 {
			return 0, false
		}
		return -p.Sink.run(), true
	}); p != nil {
		add(-x >= runBound, "at least 30 datagrams sent together under load, at every size", "%.1f%s", -x, at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		if p.Real == nil {
			return 0, false
		}
		return p.Real.Delay.P999, true
	}); p != nil {
		add(x <= delayBound, "99.9 % of the frames arrive within 25 ms at any rate", "%.1f ms%s", x, at(p))
	}
	for i := range r.Sensor {
		s := &r.Sensor[i]
		if s.Size != "1514" || !s.GSO || s.Agent == 0 {
			continue
		}
		if s.Check > 0 {
			add(s.Check <= s.Agent, "receiving and checking 1,514 bytes costs at most what sending them does", "%.0f ns, sending %.0f", s.Check, s.Agent)
		}
		if s.Pcapng > 0 {
			add(s.Pcapng <= 2*s.Agent, "writing them as pcapng at most twice that", "%.0f ns, sending %.0f", s.Pcapng, s.Agent)
		}
	}
	return list
}

// worst returns the point with the largest value, of those that have one.
func (r *report) worst(value func(p *point) (x float64, ok bool)) (worst *point, most float64) {
	for i := range r.Points {
		p := &r.Points[i]
		if x, ok := value(p); ok && (worst == nil || x > most) {
			worst, most = p, x
		}
	}
	return worst, most
}

func mostMemory(p *point) (x float64) {
	if p.Sink != nil {
		x = float64(p.Sink.PeakMemory)
	}
	if p.Real != nil {
		x = max(x, float64(p.Real.PeakMemory))
	}
	return x
}

func agentLoss(p *point) float64 {
	if p.Sink == nil {
		return 0
	}
	return p.Sink.loss()
}

// at says where the worst was.
func at(p *point) string {
	return fmt.Sprintf(" (%s bytes, %s/s, %s)", p.Size, rateText(p.Rate), p.series().name())
}

func (b *bound) String() string {
	word := "kept  "
	if !b.Kept {
		word = "MISSED"
	}
	return fmt.Sprintf("%s  %s: %s", word, b.Promise, b.Measured)
}
