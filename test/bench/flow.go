package main

import "time"

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
