package system

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// filterFrame is a frame that filters are tried on: tags in front of something. Its number is in its last bytes.
type filterFrame struct {
	tags string // of tagPatterns
	kind string // what is behind them
	data []byte
}

// tag is the VLAN of a frame with exactly one tag.
func (f *filterFrame) tag() (vlan uint16, single bool) {
	p := tagPatterns[f.tags]
	if len(p) != 2 {
		return 0, false
	}
	return p[1] & 0xfff, true
}

func (f *filterFrame) is(kinds ...string) bool { return slices.Contains(kinds, f.kind) }

// tagPatterns are pairs of TPID and VLAN, the outer one first. The kernel takes the first out, unless it is a 9100.
var tagPatterns = map[string][]uint16{
	"untagged":             nil,
	"vlan 5":               {0x8100, 5},
	"vlan 6":               {0x8100, 6},
	"vlan 5 as 88a8":       {0x88a8, 5},
	"vlan 5 as 9100":       {0x9100, 5},
	"priority 5, vlan 0":   {0x8100, 0xa000},
	"priority 3, vlan 5":   {0x8100, 0x6005},
	"vlan 5, vlan 6":       {0x8100, 5, 0x8100, 6},
	"vlan 6, vlan 5":       {0x8100, 6, 0x8100, 5},
	"88a8 5, vlan 6":       {0x88a8, 5, 0x8100, 6},
	"vlan 5, vlan 6 and 7": {0x8100, 5, 0x8100, 6, 0x8100, 7},
}

// Ends of the frames. No machine of the stage has these addresses.
var (
	filterDst, filterSrc = net.HardwareAddr{2, 0, 0, 0, 9, 2}, net.HardwareAddr{2, 0, 0, 0, 9, 1}
	filterV4             = [2][]byte{{10, 9, 0, 1}, {10, 9, 0, 2}}
	filterV6             = [2][]byte{net.ParseIP("fd09::1"), net.ParseIP("fd09::2")}
)

// filterFrames has each inner kind of frame behind each pattern of tags.
func filterFrames() (all []filterFrame) {
	add := func(tags string, kind string, etherType uint16, payload []byte) {
		mark := fmt.Appendf(nil, "(frame %d)", len(all))
		b := ether(filterDst, filterSrc, etherType, payload, tagPatterns[tags]...)
		if n := 64 - len(b) - len(mark); n > 0 {
			b = append(b, make([]byte, n)...)
		}
		all = append(all, filterFrame{tags, kind, append(b, mark...)})
	}
	tcp, udp := transport(6, 40000, 443), transport(17, 40000, 5000)
	plain := ether(filterDst, filterSrc, 0x0800, ipv4Packet(6, tcp))
	for tags := range tagPatterns {
		add(tags, "tcp", 0x0800, ipv4Packet(6, tcp))
		add(tags, "udp", 0x0800, ipv4Packet(17, udp))
		add(tags, "icmp", 0x0800, ipv4Packet(1, []byte{8, 0, 0, 0, 0, 1, 0, 1}))
		add(tags, "tcp6", 0x86dd, ipv6Packet(6, tcp))
		add(tags, "udp6", 0x86dd, ipv6Packet(17, udp))
		add(tags, "arp", 0x0806, bytes.Join([][]byte{{0, 1, 8, 0, 6, 4, 0, 1}, filterSrc, filterV4[0], make([]byte, 6), filterV4[1]}, nil))
		add(tags, "mpls", 0x8847, append([]byte{0, 1, 0x01, 64}, ipv4Packet(6, tcp)...))
		add(tags, "pppoes", 0x8864, append([]byte{0x11, 0, 0, 1, 0, 42, 0, 0x21}, ipv4Packet(6, tcp)...))
		add(tags, "geneve", 0x0800, ipv4Packet(17, geneve(plain)))
		add(tags, "vlan 5 in geneve", 0x0800, ipv4Packet(17, geneve(ether(filterDst, filterSrc, 0x0800, ipv4Packet(6, tcp), 0x8100, 5))))
		add(tags, "long udp", 0x0800, ipv4Packet(17, append(udp, make([]byte, 300)...)))
	}
	return all
}

// transport is a TCP or UDP header.
func transport(proto byte, from, to uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, from)
	b = binary.BigEndian.AppendUint16(b, to)
	if proto == 6 {
		return append(b, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0)
	}
	return append(b, 0, 8, 0, 0)
}

func geneve(inner []byte) []byte {
	return append(append(transport(17, 40000, 6081), 0, 0, 0x65, 0x58, 0, 0, 1, 0), inner...)
}

func ipv4Packet(proto byte, body []byte) []byte {
	b := []byte{0x45, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(20+len(body)))
	b = append(b, 0, 1, 0, 0, 64, proto, 0, 0)
	return append(append(append(b, filterV4[0]...), filterV4[1]...), body...)
}

func ipv6Packet(proto byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(body)))
	b = append(b, proto, 64)
	return append(append(append(b, filterV6[0]...), filterV6[1]...), body...)
}

var filterMark = regexp.MustCompile(`\(frame (\d+)\)$`)

// filterSet is which of the frames a capture file has.
type filterSet map[int]bool

// readFilterSet leaves out what else is in a file, and what is not from the interface of that name.
func readFilterSet(t *testing.T, path, iface string) filterSet {
	t.Helper()
	set := make(filterSet)
	for _, f := range readFrames(t, path) {
		if m := filterMark.FindSubmatch(f.data); m != nil && strings.HasSuffix(f.from, iface) {
			n, err := strconv.Atoi(string(m[1]))
			must(t, err)
			set[n] = true
		}
	}
	return set
}

// of is the set as a list, frame by frame.
func (s filterSet) of(frames []filterFrame) []bool {
	all := make([]bool, len(frames))
	for n := range frames {
		all[n] = s[n]
	}
	return all
}
