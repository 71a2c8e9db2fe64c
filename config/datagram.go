package config

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	minDatagram = 64    // below it hardly anything but headers would be sent; below 37 nothing could be
	maxDatagram = 65000 // the largest that the C agent sends
)

// Datagram is the format and size of what is sent over UDP (-t). At most one of the
// fields is set; the zero value means Auto.
type Datagram struct {
	Size  int  // udpstr datagrams of at most so many bytes of UDP payload, 64 to 65000
	Auto  bool // udpstr, sized by the path, at most 1472 bytes (IPv4) or 1452 (IPv6)
	Jumbo bool // udpstr, sized by the path, whatever it allows
	Plain bool // no udpstr: one PACKET message of RPCAP per datagram
}

// String returns the value that -t takes.
func (d Datagram) String() string {
	switch {
	case d.Plain:
		return "0"
	case d.Jumbo:
		return "jumbo"
	case d.Size > 0:
		return strconv.Itoa(d.Size)
	}
	return "auto"
}

// ParseDatagram reads the value of -t: auto, jumbo, or a number of bytes as the C
// agent understands it: 0 is plain RPCAP, 65000 and more and negative ones are 65000.
func ParseDatagram(value string) (Datagram, error) {
	word := strings.ToLower(strings.TrimSpace(value))
	switch word {
	case "auto":
		return Datagram{Auto: true}, nil
	case "jumbo":
		return Datagram{Jumbo: true}, nil
	}
	n, err := parseInt(word)
	switch {
	case err != nil:
		return Datagram{}, fmt.Errorf("datagram size %q: write a number of bytes such as 1472, or auto, or jumbo, or 0 for plain RPCAP", value)
	case n == 0:
		return Datagram{Plain: true}, nil
	case n < 0 || n > maxDatagram:
		return Datagram{Size: maxDatagram}, nil
	case n < minDatagram:
		return Datagram{}, fmt.Errorf("datagram size %q: %s; write %d to %d, or auto", value, tooSmall(n), minDatagram, maxDatagram)
	}
	return Datagram{Size: int(n)}, nil
}

func tooSmall(n int64) string {
	if n <= 36 {
		return "the headers alone take 36 bytes of each datagram"
	}
	return "almost nothing but headers would be sent"
}
