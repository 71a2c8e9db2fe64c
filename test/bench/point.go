package main

import (
	"math"
	"slices"
)

// point is one size at one rate over one kind of link, measured in both modes.
type point struct {
	Size  string  `json:"size"`           // bytes, or imix
	Mean  float64 `json:"mean_bytes"`     // of a frame
	Rate  float64 `json:"rate"`           // frames per second that were asked for, 0: flat out
	GSO   bool    `json:"gso"`            // the uplink takes super-packets whole
	Jumbo bool    `json:"jumbo"`          // 9,000-byte link, agent with -t jumbo
	Runs  []round `json:"runs,omitempty"` // into the sink
	Sink  *cost   `json:"sink,omitempty"` // of those the one with the median cost; nil: not measured
	Real  *path   `json:"real,omitempty"`
}

// flows are what the two modes measured.
func (p *point) flows() (list []*flow) {
	if p.Sink != nil {
		list = append(list, &p.Sink.flow)
	}
	if p.Real != nil {
		list = append(list, &p.Real.flow)
	}
	return list
}

// round is one of the runs of a point.
type round struct {
	PerFrame float64 `json:"ns_per_frame"`
	Ring     float64 `json:"ring_loss_percent"`
	Send     float64 `json:"send_loss_percent"`
	Waited   float64 `json:"waited_percent"` // of the run's time
}

func (c *cost) round() round { return round{c.perFrame(), c.ringLoss(), c.sendLoss(), c.waited()} }

// median is that of one of the numbers over all runs.
func (p *point) median(of func(r round) float64) float64 {
	var list []float64
	for _, r := range p.Runs {
		list = append(list, of(r))
	}
	return median(list)
}

// disturbed says that something else had the agent's CPU for a part of the time.
func (p *point) disturbed() bool {
	return slices.ContainsFunc(p.flows(), (*flow).disturbed)
}

// pathLoss and sensorLoss are shares of the datagrams sent, in per cent. Where the sensor's
// socket overflowed all that is missing is laid at its door: the kernel counts
// super-packets there.
func (p *point) pathLoss() float64 {
	if p.Real == nil || p.Real.SocketDrops > 0 {
		return 0
	}
	return p.Real.lost()
}

func (p *point) sensorLoss() float64 {
	if p.Real == nil || p.Real.SocketDrops == 0 {
		return 0
	}
	return p.Real.lost()
}

// allLoss is the share of the frames that agent and path lose, in per cent.
func (p *point) allLoss() float64 { return 100 - (100-p.loss())*(100-p.pathLoss())/100 }

func (p *point) ringLoss() float64 { return p.median(func(r round) float64 { return r.Ring }) }
func (p *point) sendLoss() float64 { return p.median(func(r round) float64 { return r.Send }) }

// loss is the share of the frames that the agent loses in any way, in per cent: the median.
func (p *point) loss() float64 {
	return p.median(func(r round) float64 { return 100 - (100-r.Ring)*(100-r.Send)/100 })
}

// spread is how far the costs of the runs lie apart, in per cent of their median.
func (p *point) spread() float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range p.Runs {
		low, high = min(low, r.PerFrame), max(high, r.PerFrame)
	}
	return ratio(100*(high-low), p.median(func(r round) float64 { return r.PerFrame }))
}

// median is the lower of the two in the middle of an even number, 0 of nothing.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[(len(list)-1)/2]
}

// series names what the points of one table or plot have in common.
type series struct{ GSO, Jumbo bool }

func (p *point) series() series { return series{p.GSO, p.Jumbo} }

// Title is for people.
func (s series) Title() string {
	text := "Uplink gets single datagrams, cut by the kernel"
	if s.GSO {
		text = "Uplink takes super-packets (tx-udp-segmentation)"
	}
	if s.Jumbo {
		text += ", link of 9,000 bytes and -t jumbo"
	}
	return text
}

// name is for files: "gso-off".
func (s series) name() string {
	text := "gso-off"
	if s.GSO {
		text = "gso-on"
	}
	if s.Jumbo {
		text += "-jumbo"
	}
	return text
}
