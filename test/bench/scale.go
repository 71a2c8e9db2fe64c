package main

import (
	"fmt"
	"slices"
	"time"

	"rpcapd/test/simulator"
)

// scale is rpcap-sensor with very many agents.
type scale struct {
	Agents  int     `json:"agents"`
	Connect float64 `json:"connect_seconds"` // from their start until all capture

	IdleSeconds float64 `json:"idle_seconds"`
	IdleCPU     float64 `json:"idle_cpu_percent"` // of one core
	PeakMemory  uint64  `json:"peak_memory"`      // bytes, of whatever instance had most

	Load    load    `json:"load"`
	Restart restart `json:"restart"`
}

// load is some of the agents sending IMIX.
type load struct {
	Sending     int     `json:"sending"` // agents
	Rate        float64 `json:"rate"`    // frames per second, each
	Seconds     float64 `json:"seconds"`
	CPU         float64 `json:"cpu_percent"`
	Packed      uint64  `json:"packed"`       // frames, by the agents
	SendDropped uint64  `json:"send_dropped"` // datagrams, by the agents
	Received    uint64  `json:"received"`     // frames, by the sensor
	Missing     uint64  `json:"missing"`      // frames, as the sensor says
	Written     uint64  `json:"written"`      // frames, to /dev/null
	SinkDropped uint64  `json:"sink_dropped"` // frames
}

// restart is a sensor that goes away for a while and comes back.
type restart struct {
	Stop    float64 `json:"stop_seconds"` // from the signal to the end of the process
	Away    float64 `json:"away_seconds"` // from the signal until it listens again
	Back    float64 `json:"back_seconds"` // from then until all capture again
	Refused int     `json:"refused"`      // attempts while it was away
	// Attempts are those from its return on; Failed, of these, found it listening and came to nothing.
	Attempts int `json:"attempts"`
	Failed   int `json:"failed"`
	// Busiest is the most attempts of all agents within a second.
	Busiest      int     `json:"busiest_second"`
	HandshakeP50 float64 `json:"handshake_p50_ms"` // from connection to capture
	HandshakeP99 float64 `json:"handshake_p99_ms"`
	HandshakeMax float64 `json:"handshake_max_ms"`
}

// count fills in what the agents tell of the time since the sensor went away; listening
// is when it came back.
func (r *restart) count(attempts []simulator.Attempt, handshakes []time.Duration, listening time.Time) {
	for _, a := range attempts {
		switch {
		case a.At.Before(listening):
			r.Refused++
		case a.Failed:
			r.Attempts++
			r.Failed++
		default:
			r.Attempts++
		}
	}
	r.Busiest = busiest(attempts, time.Second)
	h := histogram{}
	for _, d := range handshakes {
		h.add(d)
	}
	d := h.delay()
	r.HandshakeP50, r.HandshakeP99, r.HandshakeMax = d.P50, d.P99, d.Max
}

// busiest is the most attempts that lie within a window.
func busiest(attempts []simulator.Attempt, window time.Duration) (most int) {
	slices.SortFunc(attempts, func(a, b simulator.Attempt) int { return a.At.Compare(b.At) })
	first := 0
	for i := range attempts {
		for attempts[i].At.Sub(attempts[first].At) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// Lines are for people.
func (s *scale) Lines() (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	add("%d agents connected and capturing after %.1f s", s.Agents, s.Connect)
	add("idle for %.0f s: %.1f %% of a core, at most %s MiB", s.IdleSeconds, s.IdleCPU, mebibytes(s.PeakMemory))
	l := &s.Load
	add("%d of them sending %.0f frames/s of IMIX each for %.0f s: %d frames sent, %d received, %d missing, %d written, %.0f %% of a core",
		l.Sending, l.Rate, l.Seconds, l.Packed, l.Received, l.Missing, l.Written, l.CPU)
	r := &s.Restart
	add("sensor stopped in %.1f s, away for %.1f s; all agents back %.1f s later, in %d attempts (%d failed), at most %d in one second; "+
		"from connection to capture p50 %.1f, p99 %.1f, max %.1f ms",
		r.Stop, r.Away, r.Back, r.Attempts, r.Failed, r.Busiest, r.HandshakeP50, r.HandshakeP99, r.HandshakeMax)
	return list
}
