package main

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
