package system

import (
	"fmt"
	"testing"

	"rpcapd/test/netlab"
)

// TestRootFrameForFrame compares what the sensor wrote with what tcpdump saw on the
// same interface at the same time.
func TestRootFrameForFrame(t *testing.T) {
	for _, c := range circumstances {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			frameForFrame(t, &c)
		})
	}
}

func frameForFrame(t *testing.T, c *circumstance) {
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0", c.args...)
	a.capturing(1)
	sen.forwarding(1)
	e := &export{a, sen, s.host, s.sensor, "eth0"}
	c.begin(t, e)
	dump := startTCPDump(t, s.host, "eth0")

	s.mark(t, markBegin)
	s.tagged(t)
	for i, mtu := range []int{1500, 9000} {
		if i == 1 {
			c.change(t, e)
		}
		s.client.SetMTU("eth0", mtu)
		s.host.SetMTU("eth0", mtu)
		s.traffic(t, mtu)
	}
	s.mark(t, markEnd)

	want := window(t, "tcpdump", dump.frames())
	p := one(t, sen.end())
	c.check(t, e)
	if p.missing != 0 || p.lost != 0 {
		t.Errorf("%d frames missing, %d datagrams lost: %+v", p.missing, p.lost, p)
	}
	got := window(t, "sensor", readFrames(t, sen.file))
	sameFrames(t, got, want)
	covers(t, want)
	if c.name != circumstances[0].name && !netlab.Full() {
		return // the file is of the same kind
	}
	for name, frames := range reread(t, s.sensor, sen.file) {
		t.Run(name, func(t *testing.T) { sameFrames(t, window(t, name, frames), want) })
	}
}

// traffic makes the host answer all that an ordinary host does.
func (s *stage) traffic(t *testing.T, mtu int) {
	t.Helper()
	bulk := 1 << 20
	if !severalUsers(t) {
		bulk = 1 << 18
	}
	for _, x := range [][2]string{{clientV4, hostV4}, {clientV6, hostV6}} {
		must(t, ping(s.client, x[0], x[1], 3, 56))
		must(t, ping(s.client, x[0], x[1], 1, mtu-48)) // fills a frame, nearly
		must(t, exchangeUDP(s.client, s.host, x[1], 0, 1, 18, 64, 500, mtu-48, mtu-28, 3*mtu, 60000))
		must(t, exchangeTCP(s.client, s.host, x[1], bulk))
	}
}

// tagged sends frames with VLAN tags both ways, single, double and 802.1ad, with
// payloads from nothing to a full frame.
func (s *stage) tagged(t *testing.T) {
	t.Helper()
	const q, ad = 0x8100, 0x88a8
	client, host := s.client.MAC("eth0"), s.host.MAC("eth0")
	for i, tags := range [][]uint16{
		nil,
		{q, 100}, {q, 0xe000 | 4094}, {q, 0}, // a tag of VLAN 0 carries a priority only
		{ad, 200}, {ad, 0x3000 | 201},
		{q, 300, q, 301}, {ad, 400, q, 401}, {ad, 500, ad, 501}, {q, 600, ad, 601},
		{ad, 700, q, 701, q, 702},
	} {
		for j, size := range []int{0, 46, 1000, 1500 - 2*len(tags)} {
			payload := append([]byte(fmt.Sprintf("%d.%d ", i, j)), pattern(10*i+j, 1500)...)[:size]
			must(t, sendRaw(s.client, "eth0", ether(host, client, etherTest, payload, tags...)))
			must(t, sendRaw(s.host, "eth0", ether(client, host, etherTest, payload, tags...)))
		}
	}
}

// covers makes sure that the traffic was what the test is about.
func covers(t *testing.T, frames []frame) {
	t.Helper()
	largest, full, tags := 0, 0, map[string]int{}
	for _, f := range frames {
		largest = max(largest, f.wire)
		if f.wire == 9014 {
			full++
		}
		if len(f.data) < f.wire {
			t.Errorf("a frame of %d bytes was cut to %d", f.wire, len(f.data))
		}
		tags[fmt.Sprintf("%x", f.data[12:14])]++
	}
	if largest < 20000 {
		t.Errorf("the largest frame has %d bytes: no segmentation offload on this link", largest)
	}
	if full == 0 {
		t.Error("no jumbo frames")
	}
	for _, tag := range []string{"8100", "88a8", "0800", "86dd", "88b5"} {
		if tags[tag] == 0 {
			t.Errorf("no frame of type %s", tag)
		}
	}
	t.Logf("%d frames, the largest of %d bytes, types %v", len(frames), largest, tags)
}
