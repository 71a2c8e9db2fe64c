package system

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/vishvananda/netlink"

	"rpcapd/test/netlab"
)

// TestRootOwnTraffic captures on the very interface that carries the export, with a
// filter that accepts all: what the sensor gets is what tcpdump sees there but for
// the agent's own traffic, and the export does not feed on itself.
func TestRootOwnTraffic(t *testing.T) {
	for _, x := range []struct {
		name, addr string
		agent      []string
		sensor     []string
	}{
		{name: "udpstr IPv4", addr: sensorV4},
		{name: "udpstr IPv6", addr: sensorV6},
		{name: "jumbo datagrams", addr: sensorV4, agent: []string{"-t", "jumbo"}},
		{name: "plain IPv4 with fragments", addr: sensorV4, agent: []string{"-t", "0"}},
		{name: "plain IPv6 with fragments", addr: sensorV6, agent: []string{"-t", "0"}},
		{name: "TCP IPv4", addr: sensorV4, sensor: []string{"--tcp"}},
		{name: "TCP IPv6", addr: sensorV6, sensor: []string{"--tcp"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			ownTraffic(t, x.addr, x.agent, x.sensor, nil)
		})
	}
}

// TestRootOwnTrafficOffloads is the same for whatever the kernels do with the export.
func TestRootOwnTrafficOffloads(t *testing.T) {
	for _, c := range circumstances {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ownTraffic(t, sensorV4, c.args, nil, &c)
		})
	}
}

func ownTraffic(t *testing.T, addr string, agentArgs, sensorArgs []string, c *circumstance) {
	s := newStage(t)
	sen := startSensor(t, s.sensor, sensorArgs...)
	a := startAgent(t, s.host, "ActiveClient = "+addr+", 2003, ifname=eth1", agentArgs...)
	a.capturing(1)
	sen.forwarding(1)
	dump := startTCPDump(t, s.host, "eth1")
	own := ownPorts(a, addr)
	e := &export{a, sen, s.host, s.sensor, "eth1"}
	if c != nil {
		c.begin(t, e)
	}

	mark(t, markBegin, s.sensor, s.host.MAC("eth1"))
	for i, to := range [][2]string{{exportV4, sensorV4}, {exportV6, sensorV6}} {
		if i == 1 && c != nil {
			c.change(t, e)
		}
		must(t, ping(s.host, to[0], to[1], 20, 56))
		must(t, ping(s.host, to[0], to[1], 20, 1440)) // in plain mode each makes two fragments
		must(t, ping(s.host, to[0], to[1], 5, 5000))  // fragments that are not the agent's
		must(t, exchangeUDP(s.host, s.sensor, to[1], 100, 1000, 1400))
		must(t, exchangeTCP(s.host, s.sensor, to[1], 200_000))
	}
	e.rest() // the last of the export passes
	mark(t, markEnd, s.sensor, s.host.MAC("eth1"))
	saw := window(t, "tcpdump", dump.frames())

	// From here on nobody sends but the agent and the sensor: statistics each 5 s.
	quiet(t, "host", func() uint64 { return sentFrames(s.host, "eth1") }, 20, 700*time.Millisecond)

	p := one(t, sen.end())
	if c != nil {
		c.check(t, e)
	}
	if p.missing != 0 || p.lost != 0 || p.malformed != 0 {
		t.Errorf("not all arrived: %+v", p)
	}
	want := slices.DeleteFunc(slices.Clone(saw), own.has)
	if len(want) == len(saw) {
		t.Fatal("tcpdump saw no export")
	}
	t.Logf("tcpdump saw %d frames, %d of them the agent's own", len(saw), len(saw)-len(want))
	all := readFrames(t, sen.file)
	if i := slices.IndexFunc(all, own.has); i >= 0 {
		t.Errorf("own traffic was forwarded: %s", brief(&all[i]))
	}
	sameFrames(t, window(t, "sensor", all), want)
}

// ports are those of an agent's own traffic.
type ports map[uint16]bool

func ownPorts(a *agent, addr string) ports {
	a.T.Helper()
	own := ports{2003: true}
	a.Await("data port in the status", func() bool {
		c := a.session().Capture
		if c == nil {
			return false
		}
		var port uint16
		if _, err := fmt.Sscanf(c.Data, netJoin(addr)+":%d", &port); err != nil {
			a.T.Fatalf("data address %q: %v", c.Data, err)
		}
		own[port] = true
		return true
	})
	return own
}

func netJoin(addr string) string {
	if slices.Contains([]byte(addr), ':') {
		return "[" + addr + "]"
	}
	return addr
}

// has says whether a frame is from or to one of the ports, or is a later fragment of
// UDP, which only the agent sends in these tests.
func (own ports) has(f frame) bool {
	p := gopacket.NewPacket(f.data, layers.LinkTypeEthernet, gopacket.NoCopy)
	if ip, ok := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4); ok && ip.Protocol == layers.IPProtocolUDP {
		if ip.FragOffset > 0 {
			return true
		}
		if len(ip.Payload) >= 4 { // also the first fragment of a datagram
			return own[uint16(ip.Payload[0])<<8|uint16(ip.Payload[1])] || own[uint16(ip.Payload[2])<<8|uint16(ip.Payload[3])]
		}
	}
	if f6, ok := p.Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment); ok {
		return f6.NextHeader == layers.IPProtocolUDP
	}
	switch l := p.TransportLayer().(type) {
	case *layers.UDP:
		return own[uint16(l.SrcPort)] || own[uint16(l.DstPort)]
	case *layers.TCP:
		return own[uint16(l.SrcPort)] || own[uint16(l.DstPort)]
	}
	return false
}

func sentFrames(n *netlab.Namespace, name string) uint64 {
	return n.Link(name).Attrs().Statistics.TxPackets
}

// TestRootAgentsOnOneHub has three agents capture promiscuously on a network where each
// sees the others' export, as on a mirror port.
//
//	a eth0 ──┐
//	b eth0 ──┤
//	c eth0 ──┼── hub (a bridge that learns nothing)
//	s eth0 ──┘
func TestRootAgentsOnOneHub(t *testing.T) {
	for _, x := range []struct {
		name          string
		agent, sensor []string
	}{
		{name: "udpstr"},
		{name: "plain", agent: []string{"-t", "0"}},
		{name: "TCP", sensor: []string{"--tcp"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			agentsOnHub(t, x.agent, x.sensor)
		})
	}
}

func agentsOnHub(t *testing.T, agentArgs, sensorArgs []string) {
	h := newHub(t, "a", "b", "c", "s")
	sen := startSensor(t, h.hosts[3], append(sensorArgs, "--promiscuous")...)
	for _, n := range h.hosts[:3] {
		startAgent(t, n, "ActiveClient = 10.3.0.4, 2003, ifname=eth0", agentArgs...).capturing(1)
	}
	sen.forwarding(3)
	must(t, ping(h.hosts[0], "10.3.0.1", "10.3.0.2", 20, 1000))
	must(t, ping(h.hosts[0], "10.3.0.1", "10.3.0.4", 20, 1000))
	quiet(t, "all agents", h.sent, 60, time.Second)
	for _, p := range sen.end() {
		// 40 pings with their answers, and ARP.
		if p.frames < 80 || p.frames > 120 || p.missing != 0 {
			t.Errorf("%s: %+v", p.name, p)
		}
	}
}

// TestRootAgentsOfDifferentSensors has two agents with a sensor each capture
// promiscuously where each sees the other's export. Neither knows the other's sensor.
//
//	a eth0 ──┐      ┌── eth0 s, sensor of a
//	         ├─ hub ┤
//	b eth0 ──┘      └── eth0 t, sensor of b
func TestRootAgentsOfDifferentSensors(t *testing.T) {
	for _, x := range []struct {
		name   string
		prefix string // of the sensors' addresses
		agent  []string
	}{
		{name: "IPv4", prefix: "10.3.0."},
		{name: "IPv4 without GSO", prefix: "10.3.0.", agent: []string{"--gso", "off"}},
		{name: "IPv6", prefix: "fd03::"},
		{name: "small datagrams", prefix: "10.3.0.", agent: []string{"-t", "64"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, "a", "b", "s", "t")
			for i, n := range h.hosts {
				n.AddAddr("eth0", fmt.Sprintf("fd03::%d/64", i+1))
			}
			sensors := []*sensor{startSensor(t, h.hosts[2], "--promiscuous"), startSensor(t, h.hosts[3], "--promiscuous")}
			var agents []*agent
			for i, n := range h.hosts[:2] {
				a := startAgent(t, n, fmt.Sprintf("ActiveClient = %s%d, 2003, ifname=eth0", x.prefix, i+3), x.agent...)
				a.capturing(1)
				sensors[i].forwarding(1)
				agents = append(agents, a)
			}
			must(t, ping(h.hosts[0], "10.3.0.1", "10.3.0.2", 20, 1000))
			must(t, ping(h.hosts[1], "fd03::2", "fd03::3", 20, 1000))
			quiet(t, "both agents", h.sent, 60, time.Second)
			for i, s := range sensors {
				p := one(t, s.end())
				// The pings with their answers, neighbours; and of the other agent's control connection
				// what the host's own exclusion does not know.
				if p.frames < 80 || p.frames > 250 || p.missing != 0 {
					t.Errorf("sensor %d: %+v", i+1, p)
				}
				for _, f := range readFrames(t, s.file) {
					if isUdpstr(f.data) {
						t.Fatalf("sensor %d got the other agent's export: %s", i+1, brief(&f))
					}
				}
			}
			for i, a := range agents {
				a.Await("datagrams in the status", func() bool { c := a.session().Capture; return c != nil && c.Datagrams > 0 })
				if c := a.session().Capture; c.Datagrams > 250*12 {
					t.Errorf("agent %d sent %d datagrams", i+1, c.Datagrams)
				}
			}
		})
	}
}

// isUdpstr says whether an untagged frame is UDP with the mark of udpstr.
func isUdpstr(f []byte) bool {
	p := gopacket.NewPacket(f, layers.LinkTypeEthernet, gopacket.NoCopy)
	u, ok := p.TransportLayer().(*layers.UDP)
	return ok && len(u.Payload) > 1 && u.Payload[0] == 0 && u.Payload[1] == 110
}

// sent counts what all hosts but the last have sent; sensors send next to nothing.
func (h *hub) sent() (n uint64) {
	for _, host := range h.hosts[:len(h.hosts)-1] {
		n += sentFrames(host, "eth0")
	}
	return n
}

// hub is hosts with addresses 10.3.0.1, 10.3.0.2, … on a bridge that sends every frame
// to everybody.
type hub struct{ hosts []*netlab.Namespace }

func newHub(t *testing.T, names ...string) *hub {
	t.Helper()
	lab := netlab.New(t)
	h := &hub{}
	box := lab.Namespace("hub")
	never := uint32(0)
	box.Must(func() error {
		return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}, AgeingTime: &never})
	})
	for i, name := range names {
		n := lab.Namespace(name)
		usableAtOnce(n)
		port := fmt.Sprintf("port%d", i+1)
		lab.Veth(n, "eth0", box, port)
		box.Must(func() error {
			bridge, err := netlink.LinkByName("br0")
			if err != nil {
				return err
			}
			link, err := netlink.LinkByName(port)
			if err != nil {
				return err
			}
			return netlink.LinkSetMaster(link, bridge)
		})
		n.AddAddr("eth0", fmt.Sprintf("10.3.0.%d/24", i+1))
		h.hosts = append(h.hosts, n)
	}
	box.Up("br0")
	return h
}
