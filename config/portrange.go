package config

import (
	"fmt"
	"strconv"
	"strings"
)

// PortRange is a range of ports, its ends included. The zero value is DefaultDataPorts.
type PortRange struct{ First, Last uint16 }

// DefaultDataPorts leaves out the ports of the system: a sensor must not make the agent send to a service such as DNS or
// syslog, nor find out by the agent's answers which of them are there.
var DefaultDataPorts = PortRange{First: lastSystemPort + 1, Last: 65535}

// Contains tells whether a port is within the range.
func (r PortRange) Contains(port uint16) bool {
	r = r.orDefault()
	return port >= r.First && port <= r.Last
}

// String returns the range as the ini has it.
func (r PortRange) String() string {
	r = r.orDefault()
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (r PortRange) orDefault() PortRange {
	if r == (PortRange{}) {
		return DefaultDataPorts
	}
	return r
}

// parsePortRange reads LOW-HIGH, or one port.
func parsePortRange(value string) (PortRange, error) {
	bad := badValue(value, fmt.Sprintf("write a range of ports, LOW-HIGH, as in %s; 1-65535 allows all", DefaultDataPorts))
	low, high, found := strings.Cut(value, "-")
	if !found {
		high = low
	}
	first, err := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	if err != nil || first == 0 {
		return PortRange{}, bad
	}
	last, err := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	switch {
	case err != nil:
		return PortRange{}, bad
	case last < first:
		return PortRange{}, badValue(value, fmt.Sprintf("the first port is above the last; write %d-%d", last, first))
	}
	return PortRange{First: uint16(first), Last: uint16(last)}, nil
}

const lastSystemPort = 1023 // programs without privileges cannot open ports up to here
