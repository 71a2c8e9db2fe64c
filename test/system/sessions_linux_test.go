package system

import (
	"slices"
	"strings"
	"testing"

	"rpcapd/test/refsensor"
)

// TestRootSeveralSessions runs four sessions in one agent: two sensors, two interfaces,
// one interface twice for the same sensor. Each gets all of its interface.
func TestRootSeveralSessions(t *testing.T) {
	s := newStage(t)
	one := startSensor(t, s.sensor)
	other := startSensor(t, s.sensor, "--listen", ":2004", "--udp-port", "3003", "--snaplen", "60")
	s.lab.Veth(s.client, "eth2", s.host, "eth2")
	address(s.client, "eth2", "10.4.0.1", "fd04::1")
	address(s.host, "eth2", "10.4.0.2", "fd04::2")
	a := startAgent(t, s.host, strings.Join([]string{
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth0",
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth2",
		"ActiveClient = " + sensorV6 + ", 2003, ifaddr=" + hostV4,
		"ActiveClient = " + sensorV6 + ", 2004, ifname=eth0",
	}, "\n"))
	a.capturing(4)
	one.forwarding(3)
	other.forwarding(1)
	s.mark(t, markBegin)
	must(t, ping(s.client, clientV4, hostV4, 10, 100))
	must(t, ping(s.client, "10.4.0.1", "10.4.0.2", 10, 200))
	must(t, exchangeUDP(s.client, s.host, hostV6, 300, 1400, 4000))
	s.mark(t, markEnd)

	for _, p := range append(one.end(), other.end()...) {
		if p.missing != 0 || p.lost != 0 || p.frames != p.captured {
			t.Errorf("%+v", p)
		}
	}
	by := make(map[string][]frame)
	for _, f := range readFrames(t, one.file) {
		by[f.from] = append(by[f.from], f)
	}
	first, again := window(t, "first session", by[exportV4+"/eth0"]), window(t, "third session", by[exportV6+"/eth0"])
	sameFrames(t, again, first)
	cut := window(t, "fourth session", readFrames(t, other.file))
	for i := range first {
		first[i].data = first[i].data[:min(60, len(first[i].data))]
	}
	sameFrames(t, cut, first)
	if n := count(by[exportV4+"/eth0"], 142); n != 20 {
		t.Errorf("%d frames of 10 pings on eth0", n)
	}
	if n := count(by[exportV4+"/eth2"], 242); n != 20 {
		t.Errorf("%d frames of 10 pings on eth2", n)
	}
	if n := count(by[exportV4+"/eth2"], 142) + count(first, 242); n != 0 {
		t.Errorf("%d frames came from the wrong interface", n)
	}
}

// count returns how many frames have a length.
func count(frames []frame, wire int) (n int) {
	for _, f := range frames {
		if f.wire == wire {
			n++
		}
	}
	return n
}

// TestRootFanout splits an interface over two sessions: each frame arrives once, all of
// a flow, both directions, by the same session and in order.
func TestRootFanout(t *testing.T) {
	for _, c := range circumstances {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fanout(t, &c)
		})
	}
}

func fanout(t *testing.T, c *circumstance) {
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0, fanout=2", c.args...)
	a.capturing(2)
	sen.forwarding(2)
	e := &export{a, sen, s.host, s.sensor, "eth0"}
	c.begin(t, e)

	const flows, rounds, size = 40, 10, 200
	var forth, back [][]byte
	client, host := [6]byte(s.client.MAC("eth0")), [6]byte(s.host.MAC("eth0"))
	for i := range rounds {
		for flow := range flows {
			number := uint64(2 * (i*flows + flow))
			forth = append(forth, ofFlow(refsensor.Frame(host, client, number, size), flow, false))
			back = append(back, ofFlow(refsensor.Frame(client, host, number+1, size), flow, true))
		}
	}
	for i := 0; i < len(forth); i += flows {
		if i == len(forth)/2 {
			c.change(t, e)
		}
		must(t, sendRaw(s.client, "eth0", forth[i:i+flows]...))
		must(t, sendRaw(s.host, "eth0", back[i:i+flows]...))
		// Each round is a run of its own: some troubles must be met more than once.
		sen.Await("the frames of a round", func() bool { return count(readFrames(t, sen.file), size) >= 2*(i+flows) })
	}

	peers := sen.end()
	c.check(t, e)
	if len(peers) != 2 {
		t.Fatalf("%d peers, want 2: %+v", len(peers), peers)
	}
	for _, p := range peers {
		if p.missing != 0 || p.lost != 0 || p.frames < flows {
			t.Errorf("%+v", p)
		}
	}
	session := make(map[int]string) // of each flow
	last := make(map[int]uint64)    // number of each flow's last frame, plus 1
	seen := 0
	for _, f := range readFrames(t, sen.file) {
		if f.wire != size {
			continue
		}
		seen++
		flow := flowOf(f.data)
		if was, ok := session[flow]; ok && was != f.from {
			t.Fatalf("flow %d comes from %s and %s", flow, was, f.from)
		}
		session[flow] = f.from
		number := numberOf(f.data)
		if number < last[flow] {
			t.Fatalf("flow %d: frame %d twice or late, after %d", flow, number, last[flow]-1)
		}
		last[flow] = number + 1
	}
	if want := len(forth) + len(back); seen != want {
		t.Errorf("%d frames, want %d", seen, want)
	}
}

// ofFlow gives a numbered frame the ports and addresses of a flow, or of its way back.
func ofFlow(f []byte, flow int, back bool) []byte {
	f[34], f[35] = 0x40, byte(flow) // UDP source port
	if back {
		src, dst := slices.Clone(f[26:30]), slices.Clone(f[30:34])
		copy(f[26:], dst)
		copy(f[30:], src)
		src, dst = slices.Clone(f[34:36]), slices.Clone(f[36:38])
		copy(f[34:], dst)
		copy(f[36:], src)
	}
	return f
}

func flowOf(f []byte) int {
	if f[34] == 0x40 {
		return int(f[35])
	}
	return int(f[37])
}

func numberOf(f []byte) (n uint64) {
	for _, b := range f[42:50] {
		n = n<<8 | uint64(b)
	}
	return n
}
