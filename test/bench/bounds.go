package main

import "fmt"

// bound is something that is promised, and the worst of what was measured.
type bound struct {
	Promise  string
	Measured string
	Kept     bool
}

const (
	idleBound   = 0.03     // per cent of a core
	memoryBound = 28 << 20 // bytes, with the default ring
	delayBound  = 25       // milliseconds, 99.9 % of the frames
	runBound    = 30       // datagrams, mean
	loaded      = 100e6    // bits per second of export from which on the agent is under load
	checkBound  = 1        // times the agent's own cost
	pcapngBound = 2
	fleetMemory = 300 << 20 // bytes
	fleetIdle   = 20        // per cent of a core
	fleetBack   = 60        // seconds
	fleetServed = 1000      // milliseconds that an agent waits for its capture when all come at once
)

// bounds compares what was measured with what is promised; what was not measured is
// left out.
func (r *report) bounds() (list []bound) {
	add := func(kept bool, promise, format string, args ...any) {
		list = append(list, bound{promise, fmt.Sprintf(format, args...), kept})
	}
	if i := r.Idle; i != nil {
		add(i.CPUPercent < idleBound, "idle under 0.03 % of a core", "%.3f %%", i.CPUPercent)
	}
	if p, x := r.worst(func(p *point) (float64, bool) { return mostMemory(p), true }); p != nil {
		add(x <= memoryBound, "at most 28 MiB of memory with the default ring", "%s MiB%s", mebibytes(uint64(x)), at(p))
	}
	if p, x := r.worst(lossUpTo1514); p != nil {
		add(x == 0, "no frame of up to 1,514 bytes lost in the agent at any rate"+calm, "%s %%%s", percent(x), at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		loss, ok := lossUpTo1514(p)
		return loss, ok && p.Size == "1514" && p.Rate == 0
	}); p != nil {
		add(x == 0, "no frame of 1,514 bytes lost as fast as they can be made"+calm, "%s %%%s", percent(x), at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		if p.Sink == nil || p.Jumbo || p.Sink.export() < loaded || p.Sink.SendDropped > 0 {
			return 0, false
		}
		return -p.Sink.run(), true
	}); p != nil {
		add(-x >= runBound, "at least 30 datagrams sent together from 100 Mbit/s of export on, at every size", "%.1f%s", -x, at(p))
	}
	if p, x := r.worst(func(p *point) (float64, bool) {
		if p.Real == nil || p.Real.disturbed() {
			return 0, false
		}
		return p.Real.Delay.P999, true
	}); p != nil {
		add(x <= delayBound, "99.9 % of the frames arrive within 25 ms at any rate"+calm, "%.1f ms%s", x, at(p))
	}
	for i := range r.Sensor {
		s := &r.Sensor[i]
		if s.Size != "1514" || !s.GSO || s.Agent == 0 {
			continue
		}
		add(s.CheckRatio <= checkBound, fmt.Sprintf("receiving and checking 1,514 bytes, %s/s, costs at most what sending them does", rateText(s.Rate)),
			"%.0f ns, %.2f times", s.Check, s.CheckRatio)
		add(s.PcapngRatio <= pcapngBound, fmt.Sprintf("writing them as pcapng, %s/s, at most twice that", rateText(s.Rate)), "%.0f ns, %.2f times", s.Pcapng, s.PcapngRatio)
	}
	for i := range r.Overload {
		o := &r.Overload[i]
		add(o.ringLoss() >= overloadBound && o.adds(), fmt.Sprintf("the accounting adds up when the ring drops a third and more (%s bytes)", o.Size),
			"%s %% dropped, %s", percent(o.ringLoss()), map[bool]string{true: "every frame accounted for", false: "frames unaccounted for"}[o.adds()])
	}
	if s := r.Scale; s != nil {
		list = append(list, s.bounds()...)
	}
	return list
}

func (s *scale) bounds() (list []bound) {
	add := func(kept bool, promise, format string, args ...any) {
		list = append(list, bound{fmt.Sprintf("%d agents: ", s.Agents) + promise, fmt.Sprintf(format, args...), kept})
	}
	add(s.PeakMemory < fleetMemory, "the sensor has less than 300 MiB of memory", "%s MiB", mebibytes(s.PeakMemory))
	add(s.IdleCPU < fleetIdle, "it takes less than 20 % of a core when idle", "%.1f %%", s.IdleCPU)
	r, l := &s.Restart, &s.Load
	add(r.Back < fleetBack, "all are back within 60 s of its restart", "%.1f s", r.Back)
	add(r.Failed == 0 && r.Attempts <= s.Agents && r.HandshakeMax < fleetServed,
		"one attempt is enough for each, and it captures within a second", "%d attempts, %d failed, %.0f ms", r.Attempts, r.Failed, r.HandshakeMax)
	add(l.Missing+l.SinkDropped+l.SendDropped == 0 && l.Packed > 0 && l.Packed == l.Written,
		fmt.Sprintf("no frame of %d that send %.0f/s each is lost", l.Sending, l.Rate), "%d of %d", l.Packed-min(l.Packed, l.Written), l.Packed)
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

// calm is the condition of promises that a busy machine breaks, and not the agent. Points at
// which others took its CPU do not count for those.
const calm = " (as long as nothing else takes the agent's CPU)"

// lossUpTo1514 is what the agent loses of frames that fit an ordinary link, in per cent.
func lossUpTo1514(p *point) (float64, bool) {
	undisturbed := p.median(func(r round) float64 { return r.Waited }) <= disturbance
	return p.loss(), p.Sink != nil && p.Size != "9000" && undisturbed
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
