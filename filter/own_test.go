package filter

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

const (
	sensor4, sensor6 = "192.0.2.7", "2001:db8::7"
	other4, other6   = "198.51.100.9", "2001:db8:1::9"
	near6            = "2001:db8:5::7" // the last word of the sensor's address, another network

	stranger4, stranger6 = "203.0.113.4", "2001:db8:9::3" // nobody that the exclusion knows
)

func testExclusion() Exclusion {
	return Exclusion{Endpoints: []Endpoint{
		{Addr: netip.MustParseAddr(sensor4), Control: 2003, Data: []uint16{2010, 2011}},
		{Addr: netip.MustParseAddr(sensor6), Control: 2003, Data: []uint16{2010}},
	}}
}

var udpstrPayload = []byte{0, 110, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4}
var otherPayload = []byte{0, 111, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4}

// ownCases say which frames are own traffic, for all link types.
var ownCases = []struct {
	name      string
	p         packet
	own       bool
	fragments bool // Exclusion.Fragments
}{
	{name: "control to the sensor", own: true, p: packet{src: other4, dst: sensor4, proto: 6, sport: 40000, dport: 2003}},
	{name: "control from the sensor", own: true, p: packet{src: sensor4, dst: other4, proto: 6, sport: 2003, dport: 40000}},
	{name: "data to the sensor", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2011}},
	{name: "data from the sensor", own: true, p: packet{src: sensor4, dst: other4, proto: 17, sport: 2010, dport: 40000}},
	{name: "data over TCP", own: true, p: packet{src: other4, dst: sensor4, proto: 6, sport: 40000, dport: 2010}},
	{name: "the sensor's web page", p: packet{src: other4, dst: sensor4, proto: 6, sport: 40000, dport: 443}},
	{name: "the port at the wrong end", p: packet{src: other4, dst: sensor4, proto: 6, sport: 2003, dport: 443}},
	{name: "another host with the port", p: packet{src: other4, dst: "192.0.2.8", proto: 17, sport: 2003, dport: 2003}},
	{name: "addresses the wrong way round", p: packet{src: "7.2.0.192", dst: other4, proto: 17, sport: 2003, dport: 2003}},
	{name: "another protocol", p: packet{src: other4, dst: sensor4, proto: 132, sport: 2003, dport: 2003}},
	{name: "sensor to itself", own: true, p: packet{src: sensor4, dst: sensor4, proto: 17, sport: 5000, dport: 2010}},
	{name: "four bytes of options", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2010, options: 4}},
	{name: "forty bytes of options", own: true, p: packet{src: sensor4, dst: other4, proto: 6, sport: 2003, dport: 1, options: 40}},
	{name: "options, another port", p: packet{src: other4, dst: sensor4, proto: 17, sport: 2010, dport: 53, options: 40}},
	{name: "header length of 12 bytes", p: packet{src: "7.211.7.211", dst: sensor4, proto: 6, sport: 9, dport: 9, options: -8}}, // 7.211 is 2003
	{name: "first fragment", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 1, dport: 2010, fragment: 0x2000}},
	{name: "later fragment passes", p: packet{src: other4, dst: sensor4, proto: 17, fragment: 0x00b9, payload: udpstrPayload}},
	{name: "later fragment excluded", own: true, fragments: true, p: packet{src: other4, dst: sensor4, proto: 17, fragment: 0x20b9, payload: udpstrPayload}},
	{name: "later fragment of one byte", own: true, fragments: true, p: packet{src: sensor4, dst: other4, proto: 17, fragment: 0x00b9, payload: []byte{1}}},
	{name: "later fragment of TCP", fragments: true, p: packet{src: other4, dst: sensor4, proto: 6, fragment: 0x00b9, payload: udpstrPayload}},
	{name: "later fragment between others", fragments: true, p: packet{src: other4, dst: "192.0.2.8", proto: 17, fragment: 0x00b9, payload: udpstrPayload}},
	{name: "another agent's udpstr", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2030, payload: udpstrPayload}},
	{name: "another agent's udpstr, options", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2030, payload: udpstrPayload, options: 12}},
	{name: "other datagrams to the sensor", p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2030, payload: otherPayload}},
	{name: "udpstr mark to a low port", p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 53, payload: udpstrPayload}},
	{name: "udpstr mark in TCP", p: packet{src: other4, dst: sensor4, proto: 6, sport: 40000, dport: 2030, payload: udpstrPayload}},
	{name: "udpstr mark from the sensor", p: packet{src: sensor4, dst: other4, proto: 17, sport: 2030, dport: 40000, payload: udpstrPayload}},
	{name: "empty datagram to the sensor", p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2030}},
	{name: "one byte to the sensor", p: packet{src: other4, dst: sensor4, proto: 17, sport: 40000, dport: 2030, payload: []byte{0}}},
	{name: "others", p: packet{src: other4, dst: stranger4, proto: 17, sport: 2010, dport: 2010, payload: otherPayload}},
	{name: "export to another sensor", own: true, p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2003, payload: udpstrPayload}},
	{name: "export to another sensor's last port", own: true, p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2066, payload: udpstrPayload}},
	{name: "export to another sensor, two bytes", own: true, p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload[:2]}},
	{name: "udpstr to strangers, options, which no export has", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload, options: 8}},
	{name: "export to another sensor, a first fragment", own: true, p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload, fragment: 0x2000}},
	{name: "export of a sensor's host to another sensor", own: true, p: packet{src: sensor4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload}},
	{name: "export of a sensor's host to another sensor, options", own: true, p: packet{src: sensor4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload, options: 8}},
	{name: "export to the neighbour of a sensor in the last word", own: true, p: packet{src: other6, dst: near6, proto: 17, sport: 40000, dport: 2010, payload: udpstrPayload}},
	{name: "udpstr to the port before", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2002, payload: udpstrPayload}},
	{name: "udpstr to the port after", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2067, payload: udpstrPayload}},
	{name: "udpstr to the port after, options", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2067, payload: udpstrPayload, options: 8}},
	{name: "udpstr from a sensor's port", p: packet{src: other4, dst: stranger4, proto: 17, sport: 2010, dport: 40000, payload: udpstrPayload}},
	{name: "an answer of a sensor's host", p: packet{src: sensor4, dst: stranger4, proto: 17, sport: 53, dport: 2010, payload: otherPayload}},
	{name: "one byte to a sensor's port", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, payload: []byte{0}}},
	{name: "nothing to a sensor's port", p: packet{src: other4, dst: stranger4, proto: 17, sport: 40000, dport: 2010, options: 4}},
	{name: "udpstr mark in TCP to strangers", p: packet{src: other4, dst: stranger4, proto: 6, sport: 40000, dport: 2010, payload: udpstrPayload}},
	{name: "a later fragment that looks like export", p: packet{src: other4, dst: stranger4, proto: 17, fragment: 0x00b9, payload: []byte{9, 9, 7, 218, 0, 20, 0, 0, 0, 110, 0, 8}}},
	{name: "the same later fragment", fragments: true, p: packet{src: other4, dst: stranger4, proto: 17, fragment: 0x00b9, payload: []byte{9, 9, 7, 218, 0, 20, 0, 0, 0, 110, 0, 8}}},
	{name: "header length of 12 bytes to strangers", p: packet{src: other4, dst: stranger4, proto: 17, sport: 9, dport: 9, options: -8, payload: udpstrPayload}},

	{name: "IPv6 control to", own: true, p: packet{src: other6, dst: sensor6, proto: 6, sport: 40000, dport: 2003}},
	{name: "IPv6 control from", own: true, p: packet{src: sensor6, dst: other6, proto: 6, sport: 2003, dport: 40000}},
	{name: "IPv6 data", own: true, p: packet{src: other6, dst: sensor6, proto: 17, sport: 40000, dport: 2010}},
	{name: "IPv6 data port of the IPv4 address", p: packet{src: other6, dst: sensor6, proto: 17, sport: 40000, dport: 2011}},
	{name: "IPv6 last word equal, source", p: packet{src: near6, dst: other6, proto: 17, sport: 2003, dport: 2003}},
	{name: "IPv6 last word equal, destination", p: packet{src: other6, dst: near6, proto: 17, sport: 2003, dport: 2003}},
	{name: "IPv6 last word equal, other end own", own: true, p: packet{src: near6, dst: sensor6, proto: 17, sport: 1, dport: 2003}},
	{name: "IPv6 another agent's udpstr", own: true, p: packet{src: other6, dst: sensor6, proto: 17, sport: 40000, dport: 2030, payload: udpstrPayload}},
	{name: "IPv6 ICMP", p: packet{src: other6, dst: sensor6, proto: 58, sport: 2003, dport: 2003}},
	{name: "IPv6 first fragment", own: true, p: packet{src: other6, dst: sensor6, proto: 17, sport: 4, dport: 2010, extension: true, extNext: 44, fragment: 1}},
	{name: "IPv6 later fragment passes", p: packet{src: other6, dst: sensor6, proto: 17, extension: true, extNext: 44, fragment: 0x5a9, payload: udpstrPayload}},
	{name: "IPv6 later fragment excluded", own: true, fragments: true, p: packet{src: other6, dst: sensor6, proto: 17, extension: true, extNext: 44, fragment: 0x5a8, payload: []byte{1}}},
	{name: "IPv6 later fragment of others", fragments: true, p: packet{src: near6, dst: other6, proto: 17, extension: true, extNext: 44, fragment: 0x5a9, payload: udpstrPayload}},
	{name: "IPv6 later fragment of TCP", fragments: true, p: packet{src: other6, dst: sensor6, proto: 6, extension: true, extNext: 44, fragment: 0x5a9, payload: udpstrPayload}},
	{name: "IPv6 jumbo header", own: true, p: packet{src: other6, dst: sensor6, proto: 6, sport: 4, dport: 2010, extension: true, extNext: 0}},
	{name: "IPv6 long hop-by-hop header", p: packet{src: other6, dst: sensor6, proto: 6, sport: 4, dport: 2010, extension: true, extNext: 0, extLen: 1}},
	{name: "IPv6 unknown extension", p: packet{src: other6, dst: sensor6, proto: 6, sport: 4, dport: 2010, extension: true, extNext: 60}},
	{name: "IPv6 export to another sensor", own: true, p: packet{src: other6, dst: stranger6, proto: 17, sport: 40000, dport: 2066, payload: udpstrPayload}},
	{name: "IPv6 udpstr to the port after", p: packet{src: other6, dst: stranger6, proto: 17, sport: 40000, dport: 2067, payload: udpstrPayload}},
	{name: "IPv6 other datagrams to strangers", p: packet{src: other6, dst: stranger6, proto: 17, sport: 40000, dport: 2010, payload: otherPayload}},
	{name: "IPv6 one byte to a sensor's port", p: packet{src: other6, dst: stranger6, proto: 17, sport: 40000, dport: 2010, payload: []byte{0}}},
	{name: "IPv6 fragment of ICMP", p: packet{src: other6, dst: sensor6, proto: 58, sport: 4, dport: 2010, extension: true, extNext: 44}},
}

// carriers are the link types and how a frame of each is made.
var carriers = []struct {
	name     string
	linkType uint32
	frame    func(packet) []byte
}{
	{"Ethernet", linkEthernet, packet.ethernet},
	{"802.1Q", linkEthernet, func(p packet) []byte { p.tags = []uint16{0x8100}; return p.ethernet() }},
	{"802.1ad", linkEthernet, func(p packet) []byte { p.tags = []uint16{0x88a8}; return p.ethernet() }},
	{"raw (12)", linkRawLinux, func(p packet) []byte { return p.after(0) }},
	{"raw (101)", linkRaw, func(p packet) []byte { return p.after(0) }},
	{"null", linkNull, func(p packet) []byte { return p.after(4) }},
	{"loop", linkLoop, func(p packet) []byte { return p.after(4) }},
	{"cooked", linkCooked, func(p packet) []byte { return p.after(16) }},
	{"cooked 2", linkCooked2, func(p packet) []byte { return p.after(20) }},
}

func TestOwnTraffic(t *testing.T) {
	for _, carrier := range carriers {
		for _, fragments := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/fragments=%v", carrier.name, fragments), func(t *testing.T) {
				ex := testExclusion()
				ex.Fragments = fragments
				p, err := Compose(carrier.linkType, ex, acceptAll(), 0)
				if err != nil {
					t.Fatal(err)
				}
				run := machines(t, p)
				for _, c := range ownCases {
					if c.p.later() && c.fragments != fragments {
						continue
					}
					checkOwn(t, run, c.name, carrier.frame(c.p), c.own)
				}
			})
		}
	}
}

func checkOwn(t *testing.T, run []machine, name string, frame []byte, own bool) {
	t.Helper()
	want := len(frame)
	if own {
		want = 0
	}
	for _, m := range run {
		if got := m.run(frame); got != want {
			t.Errorf("%s: %s keeps %d bytes of %d, want %d", m.name, name, got, len(frame), want)
		}
	}
}

// TestTruncatedFramesPass: a frame too short to be judged goes to the program and
// is not refused by a load of the prefix.
func TestTruncatedFramesPass(t *testing.T) {
	for _, carrier := range carriers {
		for _, fragments := range []bool{false, true} {
			ex := testExclusion()
			ex.Fragments = fragments
			p, err := Compose(carrier.linkType, ex, acceptAll(), 0)
			if err != nil {
				t.Fatal(err)
			}
			run := machines(t, p)
			for _, c := range ownCases {
				if c.p.later() && c.fragments != fragments {
					continue
				}
				frame := carrier.frame(c.p)
				for n := 1; n < len(frame); n++ {
					kept := run[0].run(frame[:n])
					if kept != n && (kept != 0 || !c.own) {
						t.Fatalf("%s: %s cut to %d bytes: %d kept", carrier.name, c.name, n, kept)
					}
					// Without the ports nothing is own; later fragments have none.
					if kept == 0 && !c.p.later() && n < len(frame)-len(c.p.transport())+portsLength {
						t.Fatalf("%s: %s cut to %d bytes is refused before its ports", carrier.name, c.name, n)
					}
					for _, m := range run[1:] {
						if got := m.run(frame[:n]); got != kept {
							t.Fatalf("%s: %s cut to %d bytes: %s keeps %d, %s %d", carrier.name, c.name, n, run[0].name, kept, m.name, got)
						}
					}
				}
			}
		}
	}
}

// TestManyEndpoints needs far jumps and the search by halves: every address is
// excluded with its own ports and with no other's.
func TestManyEndpoints(t *testing.T) {
	for _, count := range []int{1, 4, 40, 60} {
		var ex Exclusion
		for n := range count {
			ex.Endpoints = append(ex.Endpoints,
				Endpoint{Addr: netip.AddrFrom4([4]byte{10, byte(n), 3, byte(n * 7)}), Control: uint16(3000 + n), Data: []uint16{uint16(4000 + n), uint16(5000 + n)}},
				// Half of them differ before the last word only.
				Endpoint{Addr: netip.AddrFrom16([16]byte{0x20, 1, byte(n), 15: byte(n / 2)}), Control: uint16(3000 + n)})
		}
		p, err := Compose(linkEthernet, ex, acceptAll(), 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d addresses: %d instructions", 2*count, len(p.Kernel))
		run := machines(t, p)
		if len(run) < 3 {
			t.Fatal("too few machines")
		}
		for n, e := range ex.Endpoints {
			host, peer := e.Addr.String(), other4
			if e.Addr.Is6() {
				peer = other6
			}
			name := fmt.Sprintf("%d: address %d", count, n)
			next := e.Control + 1
			checkOwn(t, run, name, packet{src: peer, dst: host, proto: 6, sport: 9, dport: e.Control}.ethernet(), true)
			checkOwn(t, run, name, packet{src: host, dst: peer, proto: 17, sport: e.Control, dport: 9, tags: []uint16{typeTag}}.ethernet(), true)
			checkOwn(t, run, name, packet{src: peer, dst: host, proto: 6, sport: 9, dport: next}.ethernet(), false)
			checkOwn(t, run, name, packet{src: host, dst: peer, proto: 6, sport: next, dport: 9}.ethernet(), false)
			for _, d := range e.Data {
				checkOwn(t, run, name, packet{src: peer, dst: host, proto: 17, sport: 9, dport: d}.ethernet(), true)
			}
		}
		checkOwn(t, run, "stranger", packet{src: other4, dst: "10.200.3.1", proto: 6, sport: 3000, dport: 3000}.ethernet(), false)
	}
}

func TestSharedAddressMergesPorts(t *testing.T) {
	ex := Exclusion{Endpoints: []Endpoint{
		{Addr: netip.MustParseAddr("::ffff:192.0.2.7"), Control: 2003},
		{Addr: netip.MustParseAddr(sensor4), Control: 2004, Data: []uint16{0, 2004}},
		{Addr: netip.MustParseAddr("fe80::7%eth0"), Control: 2003},
	}}
	p, err := Compose(linkEthernet, ex, acceptAll(), 0)
	if err != nil {
		t.Fatal(err)
	}
	run := machines(t, p)
	for port, own := range map[uint16]bool{2003: true, 2004: true, 2005: false, 0: false} {
		checkOwn(t, run, fmt.Sprint("port ", port), packet{src: other4, dst: sensor4, proto: 6, sport: 9, dport: port}.ethernet(), own)
	}
	checkOwn(t, run, "zone", packet{src: "fe80::1", dst: "fe80::7", proto: 6, sport: 9, dport: 2003}.ethernet(), true)
}

func TestPrefixIsDeterministic(t *testing.T) {
	ex := testExclusion()
	first, err := exclude(linkEthernet, ex)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		slices.Reverse(ex.Endpoints)
		again, err := exclude(linkEthernet, ex)
		if err != nil || !slices.Equal(first, again) {
			t.Fatalf("the same exclusion gave another program (%v)", err)
		}
	}
	t.Logf("two addresses: %d instructions", len(first))
}

func TestExclusionErrors(t *testing.T) {
	if _, err := Compose(127, testExclusion(), acceptAll(), 0); !errors.Is(err, ErrLinkType) {
		t.Errorf("unknown link type: %v", err)
	}
	p, err := Compose(127, Exclusion{}, acceptAll(), 96)
	if err != nil || !slices.Equal(p.Kernel, []bpf.RawInstruction{{Op: opRetK, K: 96}}) {
		t.Errorf("unknown link type without endpoints: %v, %v", p.Kernel, err)
	}
	if _, err := Compose(linkEthernet, Exclusion{Endpoints: []Endpoint{{Control: 1}}}, acceptAll(), 0); err == nil {
		t.Error("an endpoint without address was accepted")
	}
	var many Exclusion
	for n := range 3000 {
		many.Endpoints = append(many.Endpoints, Endpoint{Addr: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), Control: uint16(n + 1)})
	}
	if _, err := Compose(linkEthernet, many, acceptAll(), 0); err == nil {
		t.Error("3,000 addresses were accepted")
	}
}

// TestExportOfOneFamily: the export to unknown sensors is refused over both families,
// whichever the known one has.
func TestExportOfOneFamily(t *testing.T) {
	for _, known := range []string{sensor4, sensor6} {
		ex := Exclusion{Endpoints: []Endpoint{{Addr: netip.MustParseAddr(known), Control: 2003}}}
		for _, carrier := range carriers {
			p, err := Compose(carrier.linkType, ex, acceptAll(), 0)
			if err != nil {
				t.Fatal(err)
			}
			run := machines(t, p)
			for _, c := range []packet{{src: other4, dst: stranger4}, {src: other6, dst: stranger6}} {
				c.proto, c.sport, c.dport = 17, 40000, 2010
				for _, own := range []bool{true, false} {
					c.payload = otherPayload
					if own {
						c.payload = udpstrPayload
					}
					checkOwn(t, run, carrier.name+" to "+c.dst, carrier.frame(c), own)
				}
			}
		}
	}
}
