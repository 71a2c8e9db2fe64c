package agent

import "time"

// Status is the content of status.json: what the agent is doing, for people and
// for programs. Counters are totals since the start of what they belong to.
type Status struct {
	Version   string          `json:"version"`
	PID       int             `json:"pid"`
	Config    string          `json:"config,omitempty"`
	Started   time.Time       `json:"started"`
	Updated   time.Time       `json:"updated"`
	Reload    ReloadStatus    `json:"reload"`
	Sheddings uint64          `json:"shedding_episodes"` // times that MaxCPU led to load shedding
	Name      string          `json:"name,omitempty"`    // what sensors are told to show
	Sessions  []SessionStatus `json:"sessions"`
	// Of lines that mean several interfaces.
	MaxSessions int           `json:"max_sessions,omitempty"` // in force; 0: there is no such line
	Lines       []LineStatus  `json:"lines,omitempty"`
	Ended       []EndedStatus `json:"ended,omitempty"` // by sensor
}

// LineStatus is an ActiveClient line that means several interfaces, and which it means now.
type LineStatus struct {
	Line         int      `json:"line,omitempty"`
	Sensor       string   `json:"sensor"`
	Select       string   `json:"select"`              // "ifname=eth*/!eth9"
	Interfaces   []string `json:"interfaces"`          // that have a session
	Refused      []string `json:"refused,omitempty"`   // the first of those beyond MaxSessions
	RefusedCount int      `json:"refused_count"`       // all of them
	Elsewhere    []string `json:"elsewhere,omitempty"` // the first of those that another line offers the same sensor
}

// ReloadStatus is what became of the requests to read the ini again.
type ReloadStatus struct {
	Count uint64    `json:"count"`
	At    time.Time `json:"at,omitzero"`     // of the last one
	Error string    `json:"error,omitempty"` // why the last one was refused; empty: it is in force
}

// SessionState is the state of a session in one word.
type SessionState string

// The states of a session, in the order in which it usually passes them.
const (
	StateWaiting    SessionState = "waiting"    // for its interface to appear
	StateConnecting SessionState = "connecting" // resolving, dialing
	StateConnected  SessionState = "connected"  // waiting for the sensor to authenticate
	StateReady      SessionState = "ready"      // authenticated, no capture
	StateCapturing  SessionState = "capturing"
	StateBackoff    SessionState = "back-off" // pause before the next attempt
	StateStopped    SessionState = "stopped"  // by a CLOSE of the sensor, until reload
)

// SessionStatus is one session: an ActiveClient line and what became of it.
type SessionStatus struct {
	Line            int            `json:"line,omitempty"`   // of the ini; 0: command line
	Member          int            `json:"member,omitempty"` // 1… of a fanout group; 0: no group
	Sensor          string         `json:"sensor"`           // host:port as configured
	Address         string         `json:"address,omitempty"`
	Select          string         `json:"select,omitempty"`  // "ifname=eth1"; empty: any interface
	Pattern         string         `json:"pattern,omitempty"` // "ifname=eth*": what its line selects several interfaces by
	Preselected     string         `json:"preselected,omitempty"`
	State           SessionState   `json:"state"`
	Detail          string         `json:"detail,omitempty"` // what it waits for
	Since           time.Time      `json:"since"`
	Connects        uint64         `json:"connects"`
	AuthFailures    uint64         `json:"auth_failures"`
	LastError       string         `json:"last_error,omitempty"`
	LastErrorAt     *time.Time     `json:"last_error_at,omitempty"`
	Errors          uint64         `json:"errors"`                // failures, and requests that were refused
	Capture         *CaptureStatus `json:"capture,omitempty"`     // the running or the last one
	InterfaceEvents uint64         `json:"interface_events"`      // changes of the interface under a capture: down, up, deleted, back
	SendDrops       []SendDrop     `json:"send_drops,omitempty"`  // of all captures, by reason
	SendErrors      []SendError    `json:"send_errors,omitempty"` // likewise
	Total           Counters       `json:"total"`                 // all captures of the session
}

// CaptureStatus is one capture: from STARTCAP to its end.
type CaptureStatus struct {
	Interface   string      `json:"interface"`
	LinkType    uint32      `json:"linktype"` // DLT
	Snaplen     uint32      `json:"snaplen"`
	Promiscuous bool        `json:"promiscuous"`
	Format      string      `json:"format"` // udpstr, packet/udp, packet/tcp
	Data        string      `json:"data"`   // address and port the frames go to
	Started     time.Time   `json:"started"`
	Running     bool        `json:"running"`
	Link        LinkState   `json:"interface_state"`          // up, down, deleted
	Datagram    int         `json:"datagram_limit,omitempty"` // bytes of UDP payload
	GSO         string      `json:"gso,omitempty"`
	SendBuffer  int         `json:"send_buffer,omitempty"`  // bytes, as the kernel granted
	SendDrops   []SendDrop  `json:"send_drops,omitempty"`   // by reason
	SendErrors  []SendError `json:"send_errors,omitempty"`  // by errno
	SendRefused string      `json:"send_refused,omitempty"` // why everything is refused at present
	UserFilter  bool        `json:"user_space_filter,omitempty"`
	Shedding    uint64      `json:"shedding_one_in,omitempty"` // MaxCPU keeps one of so many frames
	// Of a capture file, when it has been read.
	FileCut       uint64 `json:"file_cut,omitempty"`        // frames longer than any snap length, cut
	FileOtherLink uint64 `json:"file_other_link,omitempty"` // frames of another link type, left out
	Counters
}

// Counters obey, once a capture has ended:
//
//	Received = RingDrops + Captured            (while it runs: + still in the ring)
//	Captured = Packed + Sampled + RateDropped
//	Packed   = delivered at the sensor + lost on the path + what SendDropped datagrams held
//
// Received counts what the filter accepted; what the filter refused is not
// counted by the kernel.
type Counters struct {
	Received       uint64 `json:"received"`        // frames the filter accepted
	RingDrops      uint64 `json:"ring_drops"`      // of these, lost because the ring was full
	InterfaceDrops uint64 `json:"interface_drops"` // lost before the filter, as the device says
	Captured       uint64 `json:"captured"`        // frames taken from the ring
	CapturedBytes  uint64 `json:"captured_bytes"`
	Packed         uint64 `json:"packed"`        // frames put into datagrams: the last npkt
	Sampled        uint64 `json:"sampled_out"`   // frames that SETSAMPLING left out
	RateDropped    uint64 `json:"rate_dropped"`  // frames that MaxRate or MaxCPU left out
	Datagrams      uint64 `json:"datagrams"`     // sent
	SentBytes      uint64 `json:"sent_bytes"`    // UDP or TCP payload
	Sends          uint64 `json:"sends"`         // runs: system calls' worth of datagrams
	SendDropped    uint64 `json:"send_dropped"`  // datagrams dropped when sending
	ICMPErrors     uint64 `json:"icmp_errors"`   // errors met when sending that ICMP or the routing table can cause; which of them is not known
	SendRefusals   uint64 `json:"send_refusals"` // sends that this host refused (EPERM, EACCES)
}

// add sums counters; it serves the totals of a session.
func (c *Counters) add(o Counters) {
	c.Received += o.Received
	c.RingDrops += o.RingDrops
	c.InterfaceDrops += o.InterfaceDrops
	c.Captured += o.Captured
	c.CapturedBytes += o.CapturedBytes
	c.Packed += o.Packed
	c.Sampled += o.Sampled
	c.RateDropped += o.RateDropped
	c.Datagrams += o.Datagrams
	c.SentBytes += o.SentBytes
	c.Sends += o.Sends
	c.SendDropped += o.SendDropped
	c.ICMPErrors += o.ICMPErrors
	c.SendRefusals += o.SendRefusals
}

// LinkState is what a capture knows about its interface.
type LinkState string
