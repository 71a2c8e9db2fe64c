package main

import (
	"fmt"
	"slices"
)

// plots are the pictures of a report, by the names of their files.
func (r *report) plots() map[string]string {
	m := make(map[string]string)
	for _, s := range r.series() {
		if s.Jumbo {
			continue // two rates make no curve
		}
		cost := r.plot(s, "Cost: "+s.Title(), axis{title: "CPU time of the agent, ns per frame", log: true},
			func(p *point) float64 { return p.Sink.perFrame() })
		if len(cost.curves) == 0 {
			continue
		}
		m["cost-"+s.name()+".svg"] = cost.svg()
		loss := r.plot(s, "Loss: "+s.Title(), axis{title: "frames lost in agent or on the path, %"},
			func(p *point) float64 { return p.allLoss() })
		m["loss-"+s.name()+".svg"] = loss.svg()
	}
	return m
}

// series are those of the points, in the order in which they were measured.
func (r *report) series() (list []series) {
	for i := range r.Points {
		if s := r.Points[i].series(); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// plot draws a value of the points of a series, a curve for each size, against the rate
// that was reached.
func (r *report) plot(s series, title string, y axis, value func(p *point) float64) *plot {
	const leastLoss = 1 // per cent: the axis is not to make much of nothing
	p := &plot{title: title, x: axis{title: "frames per second", log: true}, y: y}
	if !y.log {
		p.y.include(leastLoss)
		p.y.low = 0
	}
	for i := range r.Points {
		x := &r.Points[i]
		if x.series() != s || x.Sink == nil || x.Sink.rate() <= 0 {
			continue
		}
		v := value(x)
		if y.log && v <= 0 {
			continue
		}
		name := x.Size + " B"
		if x.Size == imix.name {
			name = "IMIX"
		}
		at := slices.IndexFunc(p.curves, func(c curve) bool { return c.name == name })
		if at < 0 {
			at = len(p.curves)
			p.curves = append(p.curves, curve{name: name})
		}
		c := &p.curves[at]
		c.dots = append(c.dots, dot{x.Sink.rate(), v, fmt.Sprintf("%s, %s/s: %.3g", name, short(x.Sink.rate()), v)})
		p.x.include(x.Sink.rate())
		p.y.include(v)
	}
	p.x.round()
	p.y.round()
	return p
}
