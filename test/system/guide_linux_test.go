package system

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rpcapd/test/netlab"
)

// guide is the hosts of the samples in ExtraHop's guide to packet forwarding:
//
//	sensor                          host                         client
//	+-------------+   veth   +-----------------+   veth   +--------------+
//	| eth0        |----------| eth0       eth1 |----------| eth0         |
//	| 10.10.1.3   |          | .21     .4.21   |          | 192.168.4.1  |
//	| rpcap-sensor|          |     rpcapd      |          |              |
//	+-------------+          +-----------------+          +--------------+
const (
	guideSensor = "10.10.1.3"
	guideEth0   = "10.10.1.21"
	guideEth1   = "192.168.4.21"
	guideClient = "192.168.4.1"
)

type guide struct {
	sensor, host, client *netlab.Namespace
	both                 bool // the host has eth1 too
}

func newGuide(t *testing.T, both bool) *guide {
	t.Helper()
	lab := netlab.New(t)
	g := &guide{sensor: lab.Namespace("sensor"), host: lab.Namespace("host"), client: lab.Namespace("client"), both: both}
	for _, n := range []*netlab.Namespace{g.sensor, g.host, g.client} {
		usableAtOnce(n)
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1")
	}
	lab.Veth(g.sensor, "eth0", g.host, "eth0")
	g.sensor.AddAddr("eth0", guideSensor+"/24")
	g.host.AddAddr("eth0", guideEth0+"/24")
	if both {
		lab.Veth(g.host, "eth1", g.client, "eth0")
		g.host.AddAddr("eth1", guideEth1+"/24")
		g.client.AddAddr("eth0", guideClient+"/24")
	}
	return g
}

// Sizes of the echo requests on the two interfaces, and what they are on the wire.
const (
	pings         = 5
	eth0Ping      = 40
	eth1Ping      = 60
	echoOverhead  = 14 + 20 + 8
	eth0PingFrame = echoOverhead + eth0Ping
	eth1PingFrame = echoOverhead + eth1Ping
)

// traffic is the same number of frames on each interface.
func (g *guide) traffic(t *testing.T) {
	t.Helper()
	must(t, ping(g.sensor, guideSensor, guideEth0, pings, eth0Ping))
	if g.both {
		must(t, ping(g.client, guideClient, guideEth1, pings, eth1Ping))
	}
}

// ruleFile writes a sensor's configuration.
func ruleFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpcap-sensor.ini")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// TestRootGuideSamples are the two samples of the guide: a rule, an agent's interfaces and lines, and what is forwarded.
// Where it is nothing, the agent's log and the sensor's summary both say why.
func TestRootGuideSamples(t *testing.T) {
	const (
		all  = "[rule all]\n"
		name = "[rule eth1 only]\nInterface = eth1\n"
		cidr = "[rule eth1 only]\nAddress = 192.168.4.0/24\n"
	)
	bare := "ActiveClient = " + guideSensor + ", 2003"
	for _, x := range []struct {
		name  string
		rules []string
		both  bool
		lines []string
		want  []string // interfaces whose traffic is forwarded
	}{
		{"1 accepts all, a bare line, the traffic of eth0", []string{all}, true, []string{bare}, []string{"eth0"}},
		{"1 accepts all, ifname= eth1, the traffic of eth1", []string{all}, true, []string{bare + ", ifname= eth1"}, []string{"eth1"}},
		{"1 accepts all, ifname= eth0 and ifname = eth1, both", []string{all}, true, []string{bare + ", ifname= eth0", bare + ", ifname = eth1"}, []string{"eth0", "eth1"}},
		{"2 accepts eth1, only eth0 and a bare line, nothing", []string{name, cidr}, false, []string{bare}, nil},
		{"2 accepts eth1, both and a bare line, the traffic of eth1", []string{name, cidr}, true, []string{bare}, []string{"eth1"}},
		{"2 accepts eth1, both and ifname=eth0, nothing", []string{name, cidr}, true, []string{bare + ", ifname=eth0"}, nil},
	} {
		for i, rules := range x.rules {
			how := [...]string{"", ", by address"}[i]
			t.Run(x.name+how, func(t *testing.T) {
				t.Parallel()
				g := newGuide(t, x.both)
				sen := startSensor(t, g.sensor, "-f", ruleFile(t, rules))
				a := startAgent(t, g.host, strings.Join(x.lines, "\n"))
				if x.want == nil {
					g.refused(t, sen, a, len(x.lines[0]) > len(bare))
					return
				}
				a.capturing(len(x.want))
				sen.forwarding(len(x.want))
				g.traffic(t)
				g.forwarded(t, sen, x.want)
			})
		}
	}
}

// forwarded checks that each wanted interface had its pings in the file, and nothing else is there.
func (g *guide) forwarded(t *testing.T, sen *sensor, want []string) {
	t.Helper()
	peers := sen.end()
	if len(peers) != len(want) {
		t.Errorf("%d captures, want %v", len(peers), want)
	}
	got := map[string]int{}
	for _, f := range readFrames(t, sen.file) {
		switch f.wire {
		case eth0PingFrame:
			got[f.from+" eth0"]++
		case eth1PingFrame:
			got[f.from+" eth1"]++
		}
	}
	for _, name := range want {
		if n := got[guideEth0+"/"+name+" "+name]; n != 2*pings {
			t.Errorf("%d frames of %s, want %d", n, name, 2*pings)
		}
	}
	if len(got) != len(want) {
		t.Errorf("forwarded %v", got)
	}
}

// refused checks that nothing is forwarded and that both ends say why.
func (g *guide) refused(t *testing.T, sen *sensor, a *agent, preselected bool) {
	t.Helper()
	why := "no interface of the agent"
	if preselected {
		why = "the agent preselects interface eth0, which no rule of this port allows (eth1 only wants "
	}
	sen.Says(why, 1)
	a.Says(why, 1)
	g.traffic(t)
	sen.report()
	sen.Says("held ("+why, 1)
	a.Await("the reason in the agent's status", func() bool {
		s := a.session()
		return strings.Contains(s.LastError, why) || strings.Contains(s.Detail, why)
	})
	sen.end()
	b, err := os.ReadFile(sen.file)
	must(t, err)
	if strings.Contains(string(b), guideEth0) || strings.Contains(a.Text(), "capture started") {
		t.Errorf("the file of %d bytes has an interface", len(b))
	}
}

func overwrite(file, text string) error { return os.WriteFile(file, []byte(text), 0o600) }
