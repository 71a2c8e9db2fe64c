package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"
)

// report is everything that was measured, the content of the JSON file.
type report struct {
	Version string    `json:"version"` // of the programs
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Quick   bool      `json:"quick"`
	Machine machine   `json:"machine"`
	Idle    *idle     `json:"idle,omitempty"`
	Points  []point   `json:"points"`
	Sensor  []sensing `json:"sensor"`
	Scale   *scale    `json:"scale,omitempty"`
	// Overload and Profiles are not in every report: profiles need perf(1).
	Overload []overload   `json:"overload,omitempty"`
	Profiles []cpuProfile `json:"profiles,omitempty"`
	// Problems are numbers that do not add up and frames that were damaged.
	Problems []string `json:"problems,omitempty"`
}

// machine is what it was measured on.
type machine struct {
	CPU          string `json:"cpu"`
	CPUs         int    `json:"cpus"`
	Kernel       string `json:"kernel"`
	Go           string `json:"go"`
	AgentCPU     int    `json:"agent_cpu"`
	GeneratorCPU int    `json:"generator_cpu"`
	SensorCPU    int    `json:"sensor_cpu"`
	// Steered: what arrives at the sensor's host is worked on by the sensor's CPU, not by the agent's.
	Steered bool `json:"steered"`
}

// idle is an agent that captures an interface on which nothing happens.
type idle struct {
	Seconds    float64 `json:"seconds"`
	CPUPercent float64 `json:"cpu_percent"` // of one core
	PeakMemory uint64  `json:"peak_memory"` // bytes
}

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

// flow is what every run measures.
type flow struct {
	Sent      uint64  `json:"sent"` // frames, by the generator
	SentBytes uint64  `json:"sent_bytes"`
	Seconds   float64 `json:"seconds"`

	LinkLost       uint64 `json:"link_lost"` // frames that did not reach the capture filter
	RingDrops      uint64 `json:"ring_drops"`
	Captured       uint64 `json:"captured"` // frames
	CapturedBytes  uint64 `json:"captured_bytes"`
	Packed         uint64 `json:"packed"`    // frames
	Datagrams      uint64 `json:"datagrams"` // that the kernel took
	SendDropped    uint64 `json:"send_dropped"`
	ExportedBytes  uint64 `json:"exported_bytes"` // UDP payload
	Sends          uint64 `json:"sends"`          // system calls' worth
	DatagramLimit  int    `json:"datagram_limit"`
	PeakMemory     uint64 `json:"peak_memory"` // bytes
	CPUNanoseconds int64  `json:"cpu_ns"`      // of the agent
	// WaitedNanoseconds is how long the agent was ready to run and something else had its CPU.
	WaitedNanoseconds int64 `json:"waited_ns"`
}

func (f *flow) rate() float64 { return ratio(float64(f.Sent), f.Seconds) }
func (f *flow) gbits() float64 {
	return ratio(float64(f.SentBytes)*8, f.Seconds*1e9)
}

// perFrame is the agent's CPU time for each captured frame, in nanoseconds.
func (f *flow) perFrame() float64 { return ratio(float64(f.CPUNanoseconds), float64(f.Captured)) }

// cpu is the agent's share of one core, in per cent.
func (f *flow) cpu() float64 { return ratio(float64(f.CPUNanoseconds)/1e7, f.Seconds) }

// run is the mean number of datagrams that are sent together.
func (f *flow) run() float64 { return ratio(float64(f.Datagrams), float64(f.Sends)) }

// wire is the number of bytes on the wire, IP and UDP headers included, for each byte
// captured.
func (f *flow) wire() float64 {
	const headers = 20 + 8
	return ratio(float64(f.ExportedBytes+headers*f.Datagrams), float64(f.CapturedBytes))
}

// ringLoss and sendLoss are shares of what entered the stage, in per cent.
func (f *flow) ringLoss() float64 {
	return ratio(100*float64(f.RingDrops), float64(f.RingDrops+f.Captured))
}

func (f *flow) sendLoss() float64 {
	return ratio(100*float64(f.SendDropped), float64(f.Datagrams+f.SendDropped))
}

// waited is the share of the time in which the agent had to wait for its CPU, in per cent.
func (f *flow) waited() float64 { return ratio(float64(f.WaitedNanoseconds)/1e7, f.Seconds) }

// Runs in which the agent had to wait for its CPU more than disturbance (per cent of the
// time) are made again, at most mostAgain times: something else was at work there.
const (
	disturbance = 2
	mostAgain   = 2
)

func (f *flow) disturbed() bool { return f.waited() > disturbance }

// export is what the agent sends, in bits per second of UDP payload.
func (f *flow) export() float64 { return ratio(float64(f.ExportedBytes)*8, f.Seconds) }

// cost is a run into the sink.
type cost struct {
	flow
	SinkDropped uint64 `json:"sink_dropped"` // packets that the sink's device refused
}

// path is a run to the sensor.
type path struct {
	flow
	Arrived     uint64 `json:"arrived"` // datagrams
	Lost        uint64 `json:"lost"`    // datagrams, on the path or at the sensor's socket
	SocketDrops uint64 `json:"socket_drops"`
	Intact      uint64 `json:"intact"` // frames
	Bad         uint64 `json:"bad"`
	Disordered  uint64 `json:"disordered"`
	Missing     uint64 `json:"missing"` // of those that were packed
	Delay       delay  `json:"delay"`
}

// lost is the share of the datagrams sent that were not received, in per cent.
func (p *path) lost() float64 { return ratio(100*float64(p.Lost), float64(p.Datagrams)) }

// delay is the time from the capture of a frame, as the agent's ring stamps it, to the
// arrival of its last datagram at the sensor's interface. Milliseconds.
type delay struct {
	Frames uint64  `json:"frames"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	P999   float64 `json:"p999_ms"`
	Max    float64 `json:"max_ms"`
}

func (h *histogram) delay() delay {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return delay{h.count, ms(h.quantile(.5)), ms(h.quantile(.99)), ms(h.quantile(.999)), ms(h.max)}
}

// sensing is what receiving costs: medians of several rounds, losses of all of them.
type sensing struct {
	Size    string  `json:"size"`
	Rate    float64 `json:"rate"` // asked for, 0: flat out
	GSO     bool    `json:"gso"`
	Sent    uint64  `json:"sent"` // frames
	Seconds float64 `json:"seconds"`
	Rounds  int     `json:"rounds"`
	// Agent is what the agent pays at this rate, into the sink.
	Agent float64 `json:"agent_ns_per_frame"`
	// Check: received, put together, compared byte for byte. 0: not measured.
	Check        float64 `json:"check_ns_per_frame"`
	CheckMissing uint64  `json:"check_missing"` // frames
	CheckRatio   float64 `json:"check_ratio"`   // to Agent of the same round, the median
	// Pcapng: rpcap-sensor writing to /dev/null. 0: not measured.
	Pcapng        float64 `json:"pcapng_ns_per_frame"`
	PcapngRatio   float64 `json:"pcapng_ratio"`
	RingDropped   uint64  `json:"pcapng_ring_dropped"` // frames, by the agent
	PcapngMissing uint64  `json:"pcapng_missing"`      // on the path
	SinkDropped   uint64  `json:"pcapng_sink_dropped"` // because the file was too slow
}

// Dropped are frames that agent or file lost, and Missing those lost between them.
func (s *sensing) Dropped() uint64 { return s.RingDropped + s.SinkDropped }
func (s *sensing) Missing() uint64 { return s.CheckMissing + s.PcapngMissing }

// take fills in the medians of several rounds, and the sums of what was lost.
func (s *sensing) take(rounds []sensing) {
	of := func(f func(r *sensing) float64) float64 {
		var list []float64
		for i := range rounds {
			list = append(list, f(&rounds[i]))
		}
		return median(list)
	}
	s.Rounds = len(rounds)
	s.Agent = of(func(r *sensing) float64 { return r.Agent })
	s.Check = of(func(r *sensing) float64 { return r.Check })
	s.Pcapng = of(func(r *sensing) float64 { return r.Pcapng })
	s.CheckRatio = of(func(r *sensing) float64 { return ratio(r.Check, r.Agent) })
	s.PcapngRatio = of(func(r *sensing) float64 { return ratio(r.Pcapng, r.Agent) })
	for _, r := range rounds {
		s.Sent += r.Sent
		s.Seconds += r.Seconds
		s.CheckMissing += r.CheckMissing
		s.RingDropped += r.RingDropped
		s.PcapngMissing += r.PcapngMissing
		s.SinkDropped += r.SinkDropped
	}
}

// ratio is 0 where there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (r *report) save(path string) error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func loadReport(path string) (*report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w: `make bench` measures", err)
	}
	r := &report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read results %s: %w", path, err)
	}
	return r, nil
}
