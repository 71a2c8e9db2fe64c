package rpcap

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AsksToProbe begins the text of an ERROR 4 with which a test call answers FINDALLIF: it offers no interface, and asks the
// sensor which data ports it may send probes to. Other sensors see an agent that cannot list its interfaces.
const AsksToProbe = "this is a test call of rpcapd"

// AsksToProbe reports whether an agent asks for data ports to probe.
func (e *Error) AsksToProbe() bool {
	return e.Code == CodeFindAll && strings.HasPrefix(e.Text, AsksToProbe)
}

// offers begins the text of the ERROR 11 that answers.
const offers = "rpcap-sensor answers probes"

// ProbeOffer is what a sensor tells a test call, in the text of an ERROR 11.
type ProbeOffer struct {
	TCP    bool       // its rules take frames over TCP only, and no port answers
	Ports  []uint16   // UDP ports that answer probes, in rising order
	Closed []uint16   // ports of the range that the sensor could not open
	Token  uint64     // that probes must have
	Seen   netip.Addr // the caller's address as the sensor sees it
	Clock  time.Time  // of the sensor; to the millisecond
}

// Error is the message.
func (o ProbeOffer) Error() *Error {
	text := o.text()
	for len(text) > MaxErrorText && len(o.Closed) > 0 {
		o.Closed = o.Closed[:len(o.Closed)-1]
		text = o.text()
	}
	for len(text) > MaxErrorText && len(o.Ports) > 0 {
		o.Ports = o.Ports[:len(o.Ports)-1]
		text = o.text()
	}
	return &Error{Code: CodeRemoteAccept, Text: text}
}

func (o ProbeOffer) text() string {
	s := fmt.Sprintf("%s: token %016x, clock %d, seen %s", offers, o.Token, o.Clock.UnixMilli(), o.Seen)
	if o.TCP {
		return s + ", tcp only"
	}
	s += ", ports " + portList(o.Ports)
	if len(o.Closed) > 0 {
		s += ", closed " + portList(o.Closed)
	}
	return s
}

// ParseProbeOffer reads the answer to a test call; ok is false if a message is none.
func ParseProbeOffer(e *Error) (o ProbeOffer, ok bool) {
	rest, ok := strings.CutPrefix(e.Text, offers+": ")
	if e.Code != CodeRemoteAccept || !ok {
		return o, false
	}
	for field := range strings.SplitSeq(rest, ", ") {
		name, value, _ := strings.Cut(field, " ")
		var err error
		switch name {
		case "token":
			o.Token, err = strconv.ParseUint(value, 16, 64)
		case "clock":
			var ms int64
			ms, err = strconv.ParseInt(value, 10, 64)
			o.Clock = time.UnixMilli(ms)
		case "seen":
			o.Seen, err = netip.ParseAddr(value)
		case "tcp":
			o.TCP = true
		case "ports":
			o.Ports, err = parsePortList(value)
		case "closed":
			o.Closed, err = parsePortList(value)
		}
		if err != nil {
			return ProbeOffer{}, false
		}
	}
	return o, true
}

// maxProbePorts bounds a list of ports: a sensor has no more.
const maxProbePorts = 64

// portList writes ports in rising order as "2003-2034;2040".
func portList(ports []uint16) string {
	var parts []string
	for i := 0; i < len(ports); {
		k := i
		for k+1 < len(ports) && ports[k+1] == ports[k]+1 {
			k++
		}
		part := strconv.Itoa(int(ports[i]))
		if k > i {
			part += "-" + strconv.Itoa(int(ports[k]))
		}
		parts = append(parts, part)
		i = k + 1
	}
	return strings.Join(parts, ";")
}

func parsePortList(text string) (ports []uint16, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ";") {
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("parse ports: %w", err)
		}
		b := a
		if isRange {
			if b, err = strconv.ParseUint(last, 10, 16); err != nil {
				return nil, fmt.Errorf("parse ports: %w", err)
			}
		}
		if a == 0 || b < a || len(ports)+int(b-a) >= maxProbePorts {
			return nil, fmt.Errorf("parse ports: %q is no range of at most %d ports", part, maxProbePorts)
		}
		for p := a; p <= b; p++ {
			ports = append(ports, uint16(p))
		}
	}
	if !slices.IsSorted(ports) {
		return nil, fmt.Errorf("parse ports: not in rising order")
	}
	return ports, nil
}
