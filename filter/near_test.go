package filter

import (
	"fmt"
	"net/netip"
	"testing"
)

const near4, nearSecond4, agent6 = "198.51.100.50", "10.200.0.1", "2001:db8:1::50"

func testNear() Near {
	near := Near{TCP: []uint16{40001, 40003, 40005, 40007}, UDP: []uint16{40002}}
	for _, a := range []string{near4, nearSecond4, agent6, "::ffff:198.51.100.51", "fe80::50%eth0"} {
		near.Addrs = append(near.Addrs, netip.MustParseAddr(a))
	}
	return near
}

// nearCases: only the near end tells that a frame is own traffic.
var nearCases = []struct {
	name string
	p    packet
	own  bool
}{
	{name: "TCP from the agent", own: true, p: packet{src: near4, dst: stranger4, proto: 6, sport: 40001, dport: 5003}},
	{name: "TCP to the agent", own: true, p: packet{src: stranger4, dst: near4, proto: 6, sport: 5003, dport: 40007}},
	{name: "UDP from the agent", own: true, p: packet{src: near4, dst: stranger4, proto: 17, sport: 40002, dport: 5003, payload: otherPayload}},
	{name: "UDP from another of its addresses", own: true, p: packet{src: nearSecond4, dst: stranger4, proto: 17, sport: 40002, dport: 5003}},
	{name: "UDP from a mapped address", own: true, p: packet{src: "198.51.100.51", dst: stranger4, proto: 17, sport: 40002, dport: 5003}},
	{name: "to a known sensor's other port", own: true, p: packet{src: near4, dst: sensor4, proto: 6, sport: 40005, dport: 5003}},
	{name: "first fragment", own: true, p: packet{src: near4, dst: stranger4, proto: 17, sport: 40002, dport: 5003, fragment: 0x2000}},
	{name: "both ports", own: true, p: packet{src: stranger4, dst: near4, proto: 6, sport: 40001, dport: 40001}},
	{name: "a port of the other protocol", p: packet{src: near4, dst: stranger4, proto: 17, sport: 40001, dport: 5003}},
	{name: "UDP's port in TCP", p: packet{src: near4, dst: stranger4, proto: 6, sport: 40002, dport: 5003}},
	{name: "the agent's other connections", p: packet{src: near4, dst: stranger4, proto: 6, sport: 40004, dport: 443}},
	{name: "another host with the port", p: packet{src: other4, dst: stranger4, proto: 6, sport: 40001, dport: 443}},
	{name: "to another host's port", p: packet{src: near4, dst: stranger4, proto: 6, sport: 443, dport: 40001}},
	{name: "a later fragment that looks like it", p: packet{src: near4, dst: stranger4, proto: 17, fragment: 0x00b9, payload: []byte{0x9c, 0x42, 1, 2, 0, 20, 0, 0, 0, 1}}},
	{name: "with options, which the agent never has", p: packet{src: near4, dst: stranger4, proto: 6, sport: 40001, dport: 5003, options: 4}},
	{name: "options that look like a port", p: packet{src: near4, dst: stranger4, proto: 6, sport: 9, dport: 9, options: 8}},
	{name: "a third protocol", p: packet{src: near4, dst: stranger4, proto: 132, sport: 40001, dport: 40002}},
	// What the other rules refuse stays refused when a port is one of the agent's.
	{name: "another agent's export from such a port", own: true, p: packet{src: other4, dst: stranger4, proto: 17, sport: 40002, dport: 2010, payload: udpstrPayload}},
	{name: "a sensor's answer to such a port", own: true, p: packet{src: sensor4, dst: other4, proto: 6, sport: 2003, dport: 40001}},
	{name: "another agent's export to a known sensor", own: true, p: packet{src: other4, dst: sensor4, proto: 17, sport: 40002, dport: 5003, payload: udpstrPayload}},

	{name: "IPv6 TCP from the agent", own: true, p: packet{src: agent6, dst: stranger6, proto: 6, sport: 40003, dport: 5003}},
	{name: "IPv6 UDP to the agent", own: true, p: packet{src: stranger6, dst: agent6, proto: 17, sport: 5003, dport: 40002}},
	{name: "IPv6 jumbo header", own: true, p: packet{src: agent6, dst: stranger6, proto: 6, sport: 40001, dport: 5003, extension: true, extNext: 0}},
	{name: "IPv6 zone", own: true, p: packet{src: "fe80::50", dst: stranger6, proto: 6, sport: 40001, dport: 5003}},
	{name: "IPv6 long hop-by-hop header", p: packet{src: agent6, dst: stranger6, proto: 6, sport: 40001, dport: 5003, extension: true, extNext: 0, extLen: 1}},
	{name: "IPv6 another host", p: packet{src: other6, dst: stranger6, proto: 6, sport: 40001, dport: 40001}},
	{name: "IPv6 another port", p: packet{src: agent6, dst: stranger6, proto: 6, sport: 40002, dport: 5003}},
	{name: "IPv6 jumbo header of others", p: packet{src: other6, dst: stranger6, proto: 6, sport: 40001, dport: 5003, extension: true, extNext: 0}},
	{name: "IPv6 jumbo header of others to a sensor", own: true, p: packet{src: other6, dst: sensor6, proto: 6, sport: 40001, dport: 2003, extension: true, extNext: 0}},
	{name: "IPv6 another agent's export from such a port", own: true, p: packet{src: other6, dst: stranger6, proto: 17, sport: 40002, dport: 2010, payload: udpstrPayload}},
}

// needsSensor are the cases that only an exclusion with sensors finds.
var needsSensor = map[string]bool{"a sensor's answer to such a port": true, "another agent's export to a known sensor": true, "IPv6 jumbo header of others to a sensor": true}

func TestNearEnd(t *testing.T) {
	for _, carrier := range carriers {
		for _, fragments := range []bool{false, true} {
			for _, sensors := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/fragments=%v/sensors=%v", carrier.name, fragments, sensors), func(t *testing.T) {
					ex := Exclusion{Near: testNear(), Fragments: fragments}
					if sensors {
						ex.Endpoints = testExclusion().Endpoints
					}
					p, err := Compose(carrier.linkType, ex, acceptAll(), 0)
					if err != nil {
						t.Fatal(err)
					}
					run := machines(t, p)
					for _, c := range nearCases {
						own := c.own && (sensors || !needsSensor[c.name])
						frame := carrier.frame(c.p)
						checkOwn(t, run, c.name, frame, own)
						for n := 1; n < len(frame); n++ { // what is too short to be judged passes
							kept := run[0].run(frame[:n])
							if kept != n && (kept != 0 || !own || n < len(frame)-len(c.p.transport())+portsLength) {
								t.Fatalf("%s cut to %d bytes: %d kept", c.name, n, kept)
							}
							for _, m := range run[1:] {
								if got := m.run(frame[:n]); got != kept {
									t.Fatalf("%s cut to %d bytes: %s keeps %d, %s %d", c.name, n, run[0].name, kept, m.name, got)
								}
							}
						}
					}
					if !sensors {
						return
					}
					for _, c := range ownCases { // they are judged as without a near end
						if !c.p.later() || c.fragments == fragments {
							checkOwn(t, run, c.name, carrier.frame(c.p), c.own)
						}
					}
				})
			}
		}
	}
}

// TestNearEndEmpty: addresses without ports, and ports without addresses, are nothing.
func TestNearEndEmpty(t *testing.T) {
	for _, near := range []Near{{}, {Addrs: testNear().Addrs}, {TCP: []uint16{1}}} {
		if p, err := exclude(linkEthernet, Exclusion{Near: near}); err != nil || p != nil {
			t.Errorf("%+v: %v, %v", near, p, err)
		}
	}
	if _, err := exclude(linkEthernet, Exclusion{Near: Near{Addrs: []netip.Addr{{}}, UDP: []uint16{1}}}); err == nil {
		t.Error("no address was accepted as one")
	}
}

// TestManyNearAddresses: as many as the agent ever gives fit into the kernel with room for a program.
func TestManyNearAddresses(t *testing.T) {
	near := Near{TCP: []uint16{40001, 40003}, UDP: []uint16{40002}}
	for n := range 8 {
		near.Addrs = append(near.Addrs, netip.AddrFrom4([4]byte{10, byte(n), 3, byte(n * 7)}), netip.AddrFrom16([16]byte{0x20, 1, byte(n), 15: byte(n / 2)}))
	}
	ex := testExclusion()
	ex.Near = near
	p, err := Compose(linkEthernet, ex, acceptAll(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d addresses: %d instructions", len(near.Addrs), len(p.Kernel))
	run := machines(t, p)
	for _, a := range near.Addrs {
		peer := stranger4
		if a.Is6() {
			peer = stranger6
		}
		checkOwn(t, run, a.String(), packet{src: a.String(), dst: peer, proto: 6, sport: 40003, dport: 9}.ethernet(), true)
		checkOwn(t, run, a.String(), packet{src: peer, dst: a.String(), proto: 17, sport: 9, dport: 40002}.ethernet(), true)
		checkOwn(t, run, a.String(), packet{src: peer, dst: a.String(), proto: 17, sport: 9, dport: 40003}.ethernet(), false)
	}
}
