package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"rpcapd/iface"
)

// maxFanout bounds the sessions of one line. The kernel takes 256 sockets in one
// fanout group (packet(7)); beyond the number of cores more of them only cost memory.
const maxFanout = 64

// Target is one ActiveClient line: a sensor, and what it is offered. A line whose Select means several interfaces makes a session
// for each of them.
type Target struct {
	Line   int    // of the file; 0: from the command line, or From
	From   string // the variable of the environment that it comes from; empty as a rule
	Host   string // name, IPv4 address, or IPv6 address without brackets
	Port   uint16
	Select iface.Selector // the preselected interface; zero: the sensor chooses
	Fanout int            // sessions that share the traffic, at least 1
	// Disabled is the reason why the line must not be used, empty as a rule. It is set
	// when the line has an option that is not understood; that is an error of the file, too.
	Disabled string
}

// Key identifies the target across reloads: lines with the same key mean the same
// session, wherever they stand in the file.
func (t Target) Key() string {
	key := fmt.Sprintf("%s,%d,%q,%s", strings.ToLower(t.Host), t.Port, t.Select.Name, t.Select.Net)
	if t.Select.Many() {
		key += fmt.Sprintf(",%q,%v", t.Select.Names, t.Select.Nets)
	}
	return key
}

// Address returns host:port, with brackets around an IPv6 address.
func (t Target) Address() string {
	return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
}

// String returns what is to the right of "ActiveClient =", in the form that other
// agents can read as well if there is no option.
func (t Target) String() string {
	s := fmt.Sprintf("%s, %d", t.Host, t.Port)
	if name := t.Select.NameText(); name != "" {
		s += ", ifname=" + quoteWord(name)
	}
	if networks := t.Select.NetText(); networks != "" {
		s += ", ifaddr=" + networks
	}
	if t.Fanout > 1 {
		s += fmt.Sprintf(", fanout=%d", t.Fanout)
	}
	return s
}
