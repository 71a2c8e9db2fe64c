package status

import (
	"maps"
	"net/netip"
	"time"

	"rpcapd/sensor/sink"
)

// State is where a session is.
type State string

// The states in the order of a session's life.
const (
	StateAuthenticating State = "authenticating"
	StateListing        State = "listing interfaces"
	StateHeld           State = "held" // nothing is asked of the agent for now; Peer.Reason says why
	StateStarting       State = "starting"
	StateRunning        State = "running"
	StateEnding         State = "ending"
	StateEnded          State = "ended"
)

// Received is what arrived. Datagrams = InOrder + Reordered + Late + Duplicate + Malformed.
type Received struct {
	Datagrams  uint64 // for a TCP data connection: messages
	Bytes      uint64 // payload of the datagrams
	Frames     uint64 // delivered to the sinks
	FrameBytes uint64
	InOrder    uint64
	Reordered  uint64
	Lost       uint64 // datagrams that never came, or too late
	Late       uint64
	Duplicate  uint64
	Malformed  uint64
	Missing    uint64 // frames: loss at the start, gaps, and the tail as far as it is known
}

func (r *Received) add(o Received) {
	r.Datagrams += o.Datagrams
	r.Bytes += o.Bytes
	r.Frames += o.Frames
	r.FrameBytes += o.FrameBytes
	r.InOrder += o.InOrder
	r.Reordered += o.Reordered
	r.Lost += o.Lost
	r.Late += o.Late
	r.Duplicate += o.Duplicate
	r.Malformed += o.Malformed
	r.Missing += o.Missing
}

// Tail says what is known of frames lost after the last one that arrived.
type Tail uint8

// A tail is open while the capture runs. It is known when the agent's numbers after ENDCAP were valid; a lower bound
// when only those asked for just before ENDCAP were (ExtraHop's and libpcap's agents answer zeros afterwards);
// unknown when the session broke.
const (
	TailOpen Tail = iota
	TailKnown
	TailAtLeast
	TailUnknown
)

func (t Tail) String() string {
	switch t {
	case TailOpen:
		return "open"
	case TailKnown:
		return "known"
	case TailAtLeast:
		return "known up to the last STATS before ENDCAP"
	}
	return "unknown"
}

// Peer describes one session, or the sum of those that have ended under the same name.
type Peer struct {
	Name       string         // "host/interface", or the host alone while no interface is chosen
	Address    netip.AddrPort // the control connection's source
	Rule       string
	Interface  string
	LinkType   uint32 // DLT number
	Snaplen    uint32
	Filter     string         // tcpdump syntax, as the agent has it now
	DataPort   uint16         // the sensor's; 0 before STARTCAP
	DataSource netip.AddrPort // the agent's, zero before the first datagram
	Format     string         // "udpstr" or "packet", empty before the first datagram
	State      State
	Reason     string    // why it is held or has ended; while it runs, what is wrong with it
	Cause      Cause     // the kind of Reason
	Since      time.Time // connected
	Sessions   int       // 1, or the number of ended sessions summed up here
	Forwarded  sink.Forwarded
	Received   Received
	Tail       Tail
	TailLost   uint64                   // frames of Received.Missing that were lost at the end
	Rebound    uint64                   // times the source port changed under way (NAT)
	Sinks      sink.Counters            // summed over all sinks
	BySink     map[string]sink.Counters // by the sink's name; not to be changed

	// Disowned counts frames that have gone to the sinks and were then found to come from another sender at the agent's
	// address. They are in Sinks, and not in Received.
	Disowned       uint64
	DisownedSource netip.AddrPort // who has sent the last of them; the zero value without any

	Deduplicated uint64 // frames delivered that no sink got because another agent's stream had brought them already

	// Unaccounted counts frames that the agent had captured by its STATS before the last one, that have not come, and that
	// no gap shows to be lost. It is that of the running capture; at the end it joins Received.Missing.
	Unaccounted      uint64
	UnaccountedSince time.Time // set when it was more than an agent may hold back at two STATS running; a loss then

	TCP             bool      // frames come over a TCP data connection
	LastArrival     time.Time // of a datagram or message; zero before the first
	LargestDatagram int       // bytes of payload
	NoSegmentation  bool      // the agent was asked to send no super-packets, because hardly anything arrived

	// ClockOffset is the agent's clock less the sensor's, if ClockKnown: positive when the agent's is ahead.
	ClockOffset time.Duration
	ClockKnown  bool
	// FrameAge is how old frames are that are too old for that; 0: they are not.
	FrameAge time.Duration

	ForwardedAt time.Time // when the agent has said what is in Forwarded; zero before

	Reconnects  uint64 // sessions of this name after the first
	LastError   string // the last thing that went wrong under this name, in its session or an earlier one
	LastCause   Cause  // the kind of LastError
	LastErrorAt time.Time

	late sink.Unsettled // feeds of an ended capture whose counters still change
}

// change adds to the counters of a sink.
func (p *Peer) change(sink string, by sink.Counters) {
	p.BySink = maps.Clone(p.BySink) // others have the old one
	c := p.BySink[sink]
	c.Add(by)
	p.BySink[sink] = c
	p.Sinks.Add(by)
}

// SetSinks fills in the counters of the sinks and their sum, and the feeds of which they still change. by is kept.
func (p *Peer) SetSinks(by map[string]sink.Counters, late sink.Unsettled) {
	p.late = late
	p.setSinks(by)
}

func (p *Peer) setSinks(by map[string]sink.Counters) {
	p.BySink, p.Sinks = by, sink.Counters{}
	for _, c := range by {
		p.Sinks.Add(c)
	}
}

// addSinks adds the counters of an earlier capture.
func (p *Peer) addSinks(earlier map[string]sink.Counters) {
	sums := make(map[string]sink.Counters, len(earlier))
	maps.Copy(sums, earlier)
	for name, c := range p.BySink {
		sum := sums[name]
		sum.Add(c)
		sums[name] = sum
	}
	p.setSinks(sums)
}

// Port describes one open data port.
type Port struct {
	Port        uint16
	Streams     int
	Foreign     uint64     // datagrams that belong to no stream: another address, another format, an ended capture
	Stranger    netip.Addr // who has sent foreign ones lately and is no agent; the zero address without one
	KernelDrops uint64     // datagrams the kernel dropped because the receive buffer was full

	ProbesEchoed  uint64 // probes of test calls that were sent back
	ProbesRefused uint64 // probes that were not: of no test call, or too many of one

	ReceiveBufferAsked int  // bytes
	ReceiveBuffer      int  // bytes that the kernel granted, in the unit of those asked for; 0 where the system does not tell
	GRO                bool // receive offload is on
}

// Counters are the sensor's own sums.
type Counters struct {
	Accepted uint64 // connections
	Refused  uint64 // of them: unwanted address or over a limit
	Unwanted uint64 // of those: no rule allows the address. The rest was over a limit
	Ended    uint64 // sessions that have ended
	Silent   uint64 // of them: the other end had not answered anything, so that it may be no agent

	DedupForgotten uint64 // frames forgotten before the window of Options.Dedup was over, because too many came
}
