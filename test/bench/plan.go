package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// flatOut is how the highest rate is written: as fast as the generator can.
const flatOut = "flat"

// plan is which runs there are.
type plan struct {
	profiles []profile
	rates    []float64 // frames per second, rising, 0 for flat out last
	gso      []bool
	length   time.Duration // of a run
	repeat   int           // runs into the sink for each point, of which the one with the median cost counts
	again    int           // runs that may be made again in all, because others disturbed them
	idle     time.Duration

	quietProfiles []profile
	quietRates    []float64
	quietFree     []quietLoad // once more with an agent that is not bound to a CPU
	quietLength   time.Duration

	jumboProfiles []profile
	jumboRates    []float64
	jumboGSO      []bool

	sensorProfiles []profile
	sensorRates    []float64
	sensorRepeat   int

	overloadProfiles []profile
	profiled         []profile // looked at with perf

	fleet fleetPlan
}

// quietLoad is a size at a rate.
type quietLoad struct {
	profile profile
	rate    float64
}

// fleetPlan is how a scale is measured.
type fleetPlan struct {
	agents  int // 0: not at all
	sending int
	rate    float64 // frames per second of each that sends
	idle    time.Duration
	load    time.Duration
	away    time.Duration // of the sensor, between two instances
}

// runs is for the progress: idle, load, restart.
func (p fleetPlan) runs() int {
	if p.agents == 0 {
		return 0
	}
	return 3
}

func fullPlan() plan {
	return plan{
		profiles: profiles("64", "128", "300", "594", "imix", "1514", "9000"), rates: []float64{1000, 10_000, 60_000, 200_000, 0},
		gso: []bool{false, true}, length: time.Second, repeat: 3, again: 40, idle: 15 * time.Second,
		quietProfiles: profiles("64", "594", "imix", "1514"), quietRates: []float64{100, 1000, 10_000}, quietLength: 5 * time.Second,
		quietFree:     []quietLoad{{profiles("64")[0], 1000}, {profiles("imix")[0], 10_000}},
		jumboProfiles: profiles("64", "imix", "1514", "9000"), jumboRates: []float64{60_000, 0}, jumboGSO: []bool{false, true},
		sensorProfiles: profiles("64", "imix", "1514"), sensorRates: []float64{60_000, 200_000}, sensorRepeat: 3,
		overloadProfiles: profiles("64", "1514"), profiled: profiles("64", "1514"),
		fleet: fleetPlan{agents: 1000, sending: 200, rate: 500, idle: 15 * time.Second, load: 10 * time.Second, away: 5 * time.Second},
	}
}

func quickPlan() plan {
	return plan{
		profiles: profiles("64", "imix", "1514"), rates: []float64{10_000, 60_000, 0},
		gso: []bool{false, true}, length: time.Second, repeat: 1, again: 8, idle: 3 * time.Second,
		quietProfiles: profiles("imix"), quietRates: []float64{1000}, quietLength: 3 * time.Second,
		quietFree:     []quietLoad{{profiles("imix")[0], 1000}},
		jumboProfiles: profiles("1514"), jumboRates: []float64{60_000, 0}, jumboGSO: []bool{false},
		sensorProfiles: profiles("64", "1514"), sensorRates: []float64{60_000}, sensorRepeat: 1,
		overloadProfiles: profiles("1514"), profiled: profiles("1514"),
		fleet: fleetPlan{agents: 1000, sending: 200, rate: 500, idle: 5 * time.Second, load: 3 * time.Second, away: time.Second},
	}
}

func profiles(names ...string) (list []profile) {
	for _, n := range names {
		p, err := parseProfile(n)
		if err != nil {
			panic(err) // the names are those above
		}
		list = append(list, p)
	}
	return list
}

// runs is how many runs the plan has at most, for the progress.
func (p *plan) runs() int {
	points := len(p.profiles)*len(p.rates)*len(p.gso) + len(p.jumboProfiles)*len(p.jumboRates)*len(p.jumboGSO)
	return points*(p.repeat+1) + len(p.quietProfiles)*len(p.quietRates) + len(p.quietFree) + p.sensorRepeat*len(p.sensorProfiles)*len(p.sensorRates)*len(p.gso) +
		len(p.overloadProfiles) + len(p.profiled)*len(p.gso) + p.fleet.runs()
}

// sweep is the points of one series.
type sweep struct {
	series
	profiles []profile
	rates    []float64
}

func (p *plan) sweeps() (list []sweep) {
	for _, on := range p.gso {
		list = append(list, sweep{series{on, false}, p.profiles, p.rates})
	}
	for _, on := range p.jumboGSO {
		if len(p.jumboProfiles) > 0 && len(p.jumboRates) > 0 {
			list = append(list, sweep{series{on, true}, p.jumboProfiles, p.jumboRates})
		}
	}
	return list
}

// choice is what flags change of a plan; empty fields leave it as it is.
type choice struct {
	sizes, rates, gso, only string
	length                  time.Duration
	repeat                  int
}

func (p *plan) choose(c choice) error {
	if c.sizes != "" {
		p.profiles = nil
		for s := range strings.SplitSeq(c.sizes, ",") {
			x, err := parseProfile(s)
			if err != nil {
				return err
			}
			p.profiles = append(p.profiles, x)
		}
		p.jumboProfiles, p.sensorProfiles, p.quietProfiles = p.profiles, p.profiles, p.profiles
	}
	if c.rates != "" {
		p.rates = nil
		for s := range strings.SplitSeq(c.rates, ",") {
			x, err := parseRate(s)
			if err != nil {
				return err
			}
			p.rates = append(p.rates, x)
		}
		p.jumboRates, p.sensorRates, p.quietRates = p.rates, p.rates, p.rates
	}
	switch c.gso {
	case "":
	case "on", "off":
		p.gso = []bool{c.gso == "on"}
		p.jumboGSO = p.gso
	default:
		return fmt.Errorf("-g %s: not on or off", c.gso)
	}
	if c.length > 0 {
		p.length, p.quietLength = c.length, c.length
	}
	if c.repeat > 0 {
		p.repeat, p.sensorRepeat = c.repeat, c.repeat
	}
	return p.restrict(c.only)
}

// restrict leaves out all parts but those named.
func (p *plan) restrict(only string) error {
	if only == "" {
		return nil
	}
	keep := map[string]bool{"idle": false, "quiet": false, "points": false, "jumbo": false, "sensor": false, "overload": false, "profile": false, "scale": false}
	for s := range strings.SplitSeq(only, ",") {
		if _, known := keep[s]; !known {
			return fmt.Errorf("-only %s: not idle, quiet, points, jumbo, sensor, overload, profile or scale", s)
		}
		keep[s] = true
	}
	if !keep["idle"] {
		p.idle = 0
	}
	if !keep["quiet"] {
		p.quietProfiles, p.quietFree = nil, nil
	}
	if !keep["points"] {
		p.profiles = nil
	}
	if !keep["jumbo"] {
		p.jumboProfiles = nil
	}
	if !keep["sensor"] {
		p.sensorProfiles = nil
	}
	if !keep["overload"] {
		p.overloadProfiles = nil
	}
	if !keep["profile"] {
		p.profiled = nil
	}
	if !keep["scale"] {
		p.fleet.agents = 0
	}
	return nil
}

// rateText is a rate as parseRate takes it.
func rateText(rate float64) string {
	if rate == 0 {
		return flatOut
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

func parseRate(s string) (float64, error) {
	if s == flatOut {
		return 0, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err == nil && !(x >= 1 && x <= 1e8) {
		err = errors.New("out of range")
	}
	if err != nil {
		return 0, fmt.Errorf("rate %q: not %s, nor frames per second: %w", s, flatOut, err)
	}
	return x, nil
}
