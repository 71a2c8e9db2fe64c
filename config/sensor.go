package config

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	defaultDataPorts = 32
	maxDataPorts     = 64 // each open port costs the sensor a socket, a goroutine and buffers
	maxSections      = 1024
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
