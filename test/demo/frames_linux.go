package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// kind is a sort of traffic that the demo makes.
type kind string

const other kind = "other"

// kinds in the order in which the demo makes them.
var kinds = []kind{"ping IPv4", "ping IPv6", "UDP IPv4", "UDP IPv6", "TCP IPv4", "TCP IPv6"}

// frame is one packet of the capture file.
type frame struct {
	kind    kind
	at      time.Time
	wire    int // length on the wire, bytes
	payload int // of TCP, bytes
	text    string
}

// frames is the content of the capture file, and what of it is counted.
type frames struct {
	list      []frame
	count     map[kind]int
	tcpBytes  map[kind]int
	datagrams map[string]int // how often each UDP payload was seen
	largest   int
}

func readFrames(path string) (*frames, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	all := &frames{count: make(map[kind]int), tcpBytes: make(map[kind]int), datagrams: make(map[string]int)}
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all.add(gopacket.NewPacket(data, r.LinkType(), gopacket.NoCopy), info)
	}
}

func (all *frames) add(p gopacket.Packet, info gopacket.CaptureInfo) {
	x := frame{kind: other, at: info.Timestamp, wire: info.Length}
	family, from, to := "", "", ""
	if l, ok := p.NetworkLayer().(*layers.IPv4); ok {
		family, from, to = " IPv4", l.SrcIP.String(), l.DstIP.String()
	} else if l, ok := p.NetworkLayer().(*layers.IPv6); ok {
		family, from, to = " IPv6", l.SrcIP.String(), l.DstIP.String()
	}
	what := ""
	switch l := p.TransportLayer().(type) {
	case *layers.UDP:
		x.kind = kind("UDP" + family)
		all.datagrams[string(l.Payload)]++
		what = fmt.Sprintf("UDP %d > %d, %q", l.SrcPort, l.DstPort, l.Payload)
	case *layers.TCP:
		x.kind = kind("TCP" + family)
		x.payload = len(l.Payload)
		what = fmt.Sprintf("TCP %d > %d, seq %d, %d bytes", l.SrcPort, l.DstPort, l.Seq, x.payload)
	default:
		what = all.addPing(&x, p, family)
	}
	x.text = fmt.Sprintf("%s > %s  %s", from, to, what)
	all.list = append(all.list, x)
	all.count[x.kind]++
	all.tcpBytes[x.kind] += x.payload
	all.largest = max(all.largest, x.wire)
}

func (all *frames) addPing(x *frame, p gopacket.Packet, family string) string {
	echo := false
	what := ""
	if l, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok {
		t := l.TypeCode.Type()
		echo = t == layers.ICMPv4TypeEchoRequest || t == layers.ICMPv4TypeEchoReply
		what = l.TypeCode.String()
	} else if l, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok {
		t := l.TypeCode.Type()
		echo = t == layers.ICMPv6TypeEchoRequest || t == layers.ICMPv6TypeEchoReply
		what = l.TypeCode.String()
	}
	if echo {
		x.kind = kind("ping" + family)
	}
	return "ICMP " + what
}

// check compares the file with what the demo sent: all of it was on the captured
// link twice, as a request and as an answer.
func (all *frames) check() error {
	var errs []error
	for _, k := range kinds[:2] {
		if n := all.count[k]; n != 2*pings {
			errs = append(errs, fmt.Errorf("%s: %d frames in the file, not %d", k, n, 2*pings))
		}
	}
	for _, to := range []string{hostV4, hostV6} {
		for i := range datagrams {
			text := datagramText(to, i)
			if n := all.datagrams[text]; n != 2 {
				errs = append(errs, fmt.Errorf("UDP: %q is %d times in the file, not twice", text, n))
			}
		}
	}
	for _, k := range kinds[4:] {
		if n := all.tcpBytes[k]; n < 2*tcpBytes { // more, if some were sent again
			errs = append(errs, fmt.Errorf("%s: %d bytes in the file, not %d", k, n, 2*tcpBytes))
		}
	}
	return errors.Join(errs...)
}

// summary tells how many frames of each kind there are.
func (all *frames) summary() string {
	var b bytes.Buffer
	for _, k := range kinds {
		fmt.Fprintf(&b, "%d %s, ", all.count[k], k)
	}
	fmt.Fprintf(&b, "%d others such as ARP", all.count[other])
	return b.String()
}
