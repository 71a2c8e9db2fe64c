package config

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	defaultDataPorts = 32
	maxDataPorts     = 64 // each open port costs the sensor a socket, a goroutine and buffers
)

// Sensor is the configuration of the sensor.
type Sensor struct {
	Rules   []Rule                // in the order of the file, at least one
	Listen  netip.Addr            // address of the listeners and data ports; the zero value is every address
	Aliases map[netip.Addr]string // names shown instead of agents' addresses
	Data    DataPorts
	Streams Streams
	Output  Output
	Files   []File
	TAP     []TAP
	HTTP    HTTP

	PcapOverIP []PcapOverIP

	Places Places // for messages; only of LoadSensor
}

// Rule says which agents and interfaces are wanted and what is asked of them. The
// zero value of a field means no restriction.
type Rule struct {
	Name        string
	Line        int            // of its [rule NAME]; 0: the rule that stands for a file without any
	Port        uint16         // TCP port that agents dial
	Addresses   []netip.Prefix // the interface must have an address inside one of them
	Interfaces  []string       // globs (path.Match); the interface's name must match one of them
	Filter      string         // tcpdump syntax
	Snaplen     uint32         // bytes; 0: whole frames
	Promiscuous bool
	Sampling    Sampling
	TCP         bool           // frames come over a TCP connection instead of UDP
	AllowAgents []netip.Prefix // source addresses that may connect
	User        string         // empty: null authentication
	Password    string
}

// String leaves the password out.
func (r Rule) String() string { return fmt.Sprintf("rule %s, port %d", r.Name, r.Port) }

// GoString is String, for %#v.
func (r Rule) GoString() string { return r.String() }

// Sampling is what an agent is asked to leave out. At most one field is set.
type Sampling struct {
	OneIn    uint32        // the first of every so many frames; 0: all
	Interval time.Duration // the first frame after each interval, in whole milliseconds; 0: all
}

// DataPorts is the range of UDP ports that agents send to.
type DataPorts struct {
	First  uint16
	Count  int  // 1 to 64
	GROOff bool // receive offload is not asked for
}

// Output is where the frames go.
type Output struct {
	File     string // path of a pcapng file, - for standard output, empty for none
	MaxFrame int    // bytes of a frame, the rest is cut off; 0: whole frames
}

// Streams bounds what agents can make the sensor hold. A zero field means the default.
type Streams struct {
	Window             int           // datagrams held back for reordering, per stream
	Hold               time.Duration // and for how long
	Dedup              time.Duration // a frame that another agent's stream brought within this time is dropped; 0: never
	Sessions           int           // in all
	SessionsPerAddress int           // of one agent's address
}

// File makes capture files in a directory.
type File struct {
	Name         string // of [file NAME]; empty if it has none
	Path         string // pattern, see CheckFilePath
	Classic      bool   // pcap instead of pcapng
	PerAgent     bool   // files of their own for each agent
	RotateSize   int64  // bytes of one file, before it is compressed; 0: any number
	RotateTime   time.Duration
	RotateFrames uint64
	Keep         int           // complete files, per agent with PerAgent; 0: all
	KeepBytes    int64         // of all files together; 0: any number
	Compress     string        // "gzip", "zstd", or empty
	SyncAtClose  bool          // a file is on the disk before it gets its name
	SyncEvery    time.Duration // and what was written, after this time; 0: when the system likes
	Selection    Selection

	line int // of the header
}

// PcapOverIP gives frames to programs over TCP, or dials out to one.
type PcapOverIP struct {
	Name         string // of [pcap-over-ip NAME]; empty if it has none
	Listen       netip.AddrPort
	Connect      string // host:port of a listener to dial instead; Listen then has no meaning
	Classic      bool   // pcap instead of pcapng
	LinkType     int    // LINKTYPE number of a classic stream; -1: that of the first source
	Clients      int    // at once; 0: the default
	AllowClients []netip.Prefix
	Buffer       int           // bytes that the clients share; 0: the default
	Stalled      time.Duration // a client that takes nothing for this long is disconnected; 0: the default
	TLS          bool
	Certificate  string // paths of PEM files
	Key          string
	ClientCA     string
	CA           string
	ServerName   string
	Selection    Selection

	line    int  // of the header
	listens bool // there is a Listen
}

// TAP is a TAP interface that the sensor writes frames to.
type TAP struct {
	Interface string // its name, none twice
	MTU       int    // bytes, at least; 0: the largest if the sensor makes the interface, else what it has
	Guard     bool   // the frames are kept from this machine's own network stack
	Persist   bool   // an interface that the sensor made stays when the sensor ends
	Selection

	section string // of the file
	line    int    // of the header
}

// HTTP says where the sensor shows its health.
type HTTP struct {
	Enabled     bool           // there is a section [http]
	Listen      netip.AddrPort // the zero address is every address
	Certificate string         // path of a PEM file; empty: no TLS
	Key         string         // path of a PEM file
	Accounts    []Account      // none: everybody may look
	Names       []string       // host names, in lower case, by which a page that listens on loopback may be asked for besides localhost

	line int // of the header
}

// Selection says which agents, rules and frames an output takes, and how much of each. The zero value is everything.
type Selection struct {
	Agents   []string // patterns for aliases and addresses, or networks
	Rules    []string // patterns for the names of rules
	Filter   string   // tcpdump syntax
	MaxFrame int      // bytes of a frame, the rest is cut off; 0: whole frames
}
