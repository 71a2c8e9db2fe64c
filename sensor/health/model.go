package health

import "time"

// Peer is what is known of one peer: an interface of an agent, or an agent without one while none is chosen. Its
// counters go on over reconnects, from the sensor's start.
type Peer struct {
	Name      string `json:"name"`      // "host/interface", or the host alone
	Agent     string `json:"agent"`     // the host: an alias, else the address; "#2" when two are the same
	Interface string `json:"interface"` // empty while none is chosen
	Address   string `json:"address"`   // of the control connection, with its port
	Rule      string `json:"rule"`
	Port      uint16 `json:"port"`        // the sensor's data port; 0 without a capture
	Source    string `json:"data_source"` // where the data comes from; empty before the first datagram
	State     string `json:"state"`       // as in status.State; "ended" for a peer that has left
	Reason    string `json:"reason"`      // why it is held or has ended; what is wrong while it runs
	Cause     string `json:"cause"`       // the kind of reason, as in status.Cause; empty without one
	Format    string `json:"format"`      // "udpstr", "packet", or empty before the first datagram
	LinkType  uint32 `json:"link_type"`   // DLT number
	Snaplen   uint32 `json:"snaplen_bytes"`

	Connected  time.Time  `json:"connected_at"`
	Ended      *time.Time `json:"ended_at"`   // null while it is connected
	Reconnects uint64     `json:"reconnects"` // sessions after the first

	FrameAge    float64    `json:"frame_age_seconds,omitempty"` // of frames older than a day: a capture file, or a clock never set
	ClockOffset *float64   `json:"clock_offset_seconds"`        // agent's clock less the sensor's; null if not known
	LastError   string     `json:"last_error"`
	LastCause   string     `json:"last_cause"` // its kind
	LastErrorAt *time.Time `json:"last_error_at"`

	Unaccounted      uint64     `json:"frames_unaccounted"`         // captured, not come, and not known to be lost; of the running session
	UnaccountedSince *time.Time `json:"frames_unaccounted_since"`   // null unless it is more than an agent may hold back
	MissingAtLeast   bool       `json:"frames_missing_at_least"`    // a session has ended without the agent's final numbers
	LastArrival      *time.Time `json:"last_arrival_at"`            // of a datagram; null before the first
	LargestDatagram  int        `json:"largest_datagram_bytes"`     // of payload
	NoSegmentation   bool       `json:"super_packets_switched_off"` // because hardly anything arrived
	TCP              bool       `json:"tcp"`                        // frames come over a TCP data connection
	Stranger         string     `json:"data_stranger"`              // who else sends to its data port while nothing comes; empty without one

	DisownedSource string `json:"disowned_source"` // who sent the last frames that are disowned; empty without any

	Forwarded Forwarded `json:"forwarded"`
	// ForwardedAt is when the agent has said so: each 5 s, so that Received may be ahead. Null before.
	ForwardedAt *time.Time `json:"forwarded_at"`

	Received Received     `json:"received"`
	Sinks    []SinkFrames `json:"sinks"` // what became of the frames, by the name of the sink
	Rates    Rates        `json:"rates"`
	Session  *Session     `json:"session"` // the running one's own numbers; null without one

	counters counters // as in Forwarded, Received and Sinks
	lossCure string   // what helps against the loss that another problem of the session tells; empty without one
}

// Forwarded is what the agent says of its capture: interface_received = ring_dropped + captured + still in
// the ring + what the agent's sampling and limits leave out, which it has no number for.
type Forwarded struct {
	Known             bool   `json:"known"` // false: the agent has not said anything yet
	InterfaceReceived uint64 `json:"interface_received"`
	InterfaceDropped  uint64 `json:"interface_dropped"`
	RingDropped       uint64 `json:"ring_dropped"`
	Captured          uint64 `json:"captured"`
}

// Received is what has come to the sensor. datagrams = in_order + reordered + late + duplicate + malformed;
// captured = frames + missing + unaccounted, but for what is on its way.
type Received struct {
	Datagrams    uint64 `json:"datagrams"`
	Bytes        uint64 `json:"bytes"` // payload of the datagrams
	Frames       uint64 `json:"frames"`
	FrameBytes   uint64 `json:"frame_bytes"`
	InOrder      uint64 `json:"datagrams_in_order"`
	Reordered    uint64 `json:"datagrams_reordered"`
	Lost         uint64 `json:"datagrams_lost"`
	Late         uint64 `json:"datagrams_late"`
	Duplicate    uint64 `json:"datagrams_duplicate"`
	Malformed    uint64 `json:"datagrams_malformed"`
	Missing      uint64 `json:"frames_missing"`
	Deduplicated uint64 `json:"frames_deduplicated"` // delivered by another agent before
	Disowned     uint64 `json:"frames_disowned"`     // went out, and were then found to be another sender's; not in Frames
	Rebound      uint64 `json:"rebound"`             // times the source port changed under way (NAT)
}

// SinkFrames is what a sink did with the frames of a peer: frames = written + dropped, less deduplicated ones and those that
// the sink's selection leaves out.
type SinkFrames struct {
	Sink    string `json:"sink"`
	Written uint64 `json:"written"`
	Bytes   uint64 `json:"bytes"`
	Dropped uint64 `json:"dropped"`
}

// Session is the numbers of one connection alone.
type Session struct {
	Since     time.Time `json:"since"`
	Forwarded Forwarded `json:"forwarded"`
	Received  Received  `json:"received"`
	Written   uint64    `json:"sinks_written"`
	Dropped   uint64    `json:"sinks_dropped"`
}

// Rates are per second over the last few seconds.
type Rates struct {
	Forwarded float64 `json:"forwarded_frames_per_second"`
	Received  float64 `json:"received_frames_per_second"`
	Bytes     float64 `json:"received_bytes_per_second"`
	Dropped   float64 `json:"dropped_frames_per_second"` // on the agent's host
	Missing   float64 `json:"missing_frames_per_second"`
}

// Running reports whether frames are wanted from it now.
func (p *Peer) Running() bool { return p.State == "running" }

// Dropped is the number of frames that the agent's host dropped.
func (p *Peer) Dropped() uint64 { return p.Forwarded.RingDropped + p.Forwarded.InterfaceDropped }

// PathLoss is the number of frames lost between agent and sensor: those known to be missing, and those unaccounted once
// they are more than an agent may hold back.
func (p *Peer) PathLoss() uint64 {
	if p.UnaccountedSince == nil {
		return p.Received.Missing
	}
	return p.Received.Missing + p.Unaccounted
}

// SinkDrops is the number of frames that sinks dropped.
func (p *Peer) SinkDrops() uint64 { return p.counters[sinkDropped] }

// Port is one open data port.
type Port struct {
	Port               uint16 `json:"port"`
	Streams            int    `json:"streams"`
	Foreign            uint64 `json:"datagrams_foreign"`
	Stranger           string `json:"stranger"` // who has sent foreign ones last and is no agent; empty without one
	ReceiveBufferDrops uint64 `json:"datagrams_dropped_by_receive_buffer"`
	ProbesEchoed       uint64 `json:"probes_echoed"`  // of rpcapd doctor, sent back
	ProbesRefused      uint64 `json:"probes_refused"` // not sent back: of no test call, or too many of one
	ReceiveBufferAsked int    `json:"receive_buffer_asked_bytes"`
	ReceiveBuffer      int    `json:"receive_buffer_bytes"` // granted, in the unit of those asked for; 0 where the system does not tell
	GRO                bool   `json:"gro"`
}

// Sink is one consumer of frames, or a part of one.
type Sink struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	State   string     `json:"state"` // as in sink.State
	Since   time.Time  `json:"state_since"`
	Error   string     `json:"last_error"`
	ErrorAt *time.Time `json:"last_error_at"`
	Streams int        `json:"streams"`
	Written uint64     `json:"written"`
	Bytes   uint64     `json:"bytes"`
	Dropped uint64     `json:"dropped"`
	Parts   []Sink     `json:"parts"`   // clients of a server, files of a directory
	Details []Detail   `json:"details"` // what this kind of sink alone has to say

	most [2]uint64 // Written and Bytes for the metrics, which must not go back when frames turn out not to be written
}

// Detail is a word or a number of a sink.
type Detail struct {
	Name   string  `json:"name"`
	Text   string  `json:"text"`
	Number *uint64 `json:"number"` // null if it is no number
	Total  bool    `json:"total"`  // it only grows
}

// Status is the sensor as a whole.
type Status struct {
	Version     string         `json:"version"`
	Time        time.Time      `json:"time"`
	Started     time.Time      `json:"started_at"`
	Ready       bool           `json:"ready"`
	Reasons     []string       `json:"not_ready_because"`
	States      map[string]int `json:"peers_by_state"`
	Accepted    uint64         `json:"connections_accepted"`
	Refused     uint64         `json:"connections_refused"`
	Sessions    uint64         `json:"sessions_ended"`
	Silent      uint64         `json:"sessions_never_answered"` // of those; the other end may be no agent
	Forwarded   Forwarded      `json:"forwarded"`
	Received    Received       `json:"received"`
	Rates       Rates          `json:"rates"`
	Unaccounted uint64         `json:"frames_unaccounted"`
	SinkDropped uint64         `json:"sinks_dropped"`

	counters counters
}

// Running is the number of peers that forward.
func (s *Status) Running() int { return s.States["running"] }

// Gone is the number of peers that have left within the last hour.
func (s *Status) Gone() int { return s.States["ended"] }

// LostAtAgents is the number of frames that the agents' hosts dropped.
func (s *Status) LostAtAgents() uint64 { return s.Forwarded.RingDropped + s.Forwarded.InterfaceDropped }

// Waiting is the number of peers that are connected and do not forward.
func (s *Status) Waiting() int {
	n := 0
	for state, count := range s.States {
		if state != "running" && state != "ended" {
			n += count
		}
	}
	return n
}
