package system

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// nat is two hosts with an agent each, which the sensor sees under one address:
//
//	client1 ── host1 ──┐
//	                   router (masquerades) ── sensor
//	client2 ── host2 ──┘
type nat struct {
	clients, hosts [2]*netlab.Namespace
	router, sensor *netlab.Namespace
}

func newNAT(t *testing.T) *nat {
	t.Helper()
	lab := netlab.New(t)
	x := &nat{router: lab.Namespace("router"), sensor: lab.Namespace("sensor")}
	namespace := func(name string) *netlab.Namespace {
		n := lab.Namespace(name)
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // nothing but what the test sends
		return n
	}
	for i := range x.hosts {
		x.clients[i], x.hosts[i] = namespace(fmt.Sprint("client", i)), namespace(fmt.Sprint("host", i))
		lab.Veth(x.clients[i], "eth0", x.hosts[i], "eth0")
		inside := fmt.Sprint("in", i)
		lab.Veth(x.hosts[i], "eth1", x.router, inside)
		x.hosts[i].AddAddr("eth1", fmt.Sprintf("10.9.%d.2/24", i))
		x.router.AddAddr(inside, fmt.Sprintf("10.9.%d.1/24", i))
		x.hosts[i].AddRoute("0.0.0.0/0", fmt.Sprintf("10.9.%d.1", i))
	}
	lab.Veth(x.router, "out", x.sensor, "eth0")
	x.router.AddAddr("out", exportV4+"/24")
	x.sensor.AddAddr("eth0", sensorV4+"/24")
	x.router.Sysctl("ipv4/ip_forward", "1")
	err := x.router.NFT("table ip nat { chain out { type nat hook postrouting priority 100; oifname \"out\" masquerade fully-random; }; }")
	switch {
	case errors.Is(err, netlab.ErrNoNFT):
		netlab.Missing(t, err.Error())
	case err != nil:
		netlab.Missing(t, "this kernel has no NAT: "+err.Error())
	}
	return x
}

// rebind has the router forget its UDP mappings: the next datagrams of each stream leave from another port.
func (x *nat) rebind(t *testing.T) {
	t.Helper()
	must(t, x.router.Do(func() error {
		f := &netlink.ConntrackFilter{}
		if err := f.AddProtocol(unix.IPPROTO_UDP); err != nil {
			return err
		}
		n, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, f)
		if err == nil && n < 2 {
			err = fmt.Errorf("only %d mappings", n)
		}
		return err
	}))
}

var portPattern = regexp.MustCompile(`, port (\d+),`)

// TestRootNAT: two agents behind one address have ports of their own while there are any, and are told apart when there
// is only one; their streams go on when the NAT gives them other source ports. Not a frame is lost or mixed up.
func TestRootNAT(t *testing.T) {
	frames, rate := steadyLoad(t)
	frames /= 6
	sizes := [2]int{300, 310}
	for _, ports := range []string{"32", "1"} {
		t.Run(ports+" ports", func(t *testing.T) {
			x := newNAT(t)
			sen := startSensor(t, x.sensor, "--udp-ports", ports)
			var agents [2]*agent
			for i, host := range x.hosts {
				agents[i] = startAgent(t, host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
			}
			send := func() {
				var both sync.WaitGroup
				for i, host := range x.hosts {
					both.Go(func() {
						if _, err := generate(x.clients[i], "eth0", [6]byte(host.MAC("eth0")), sizes[i], rate, frames); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
			}
			// With one port the second capture begins when the first stream is known.
			first := func(i int) {
				_, err := generate(x.clients[i], "eth0", [6]byte(x.hosts[i].MAC("eth0")), 200, 1000, 10)
				must(t, err)
			}
			if ports == "1" {
				agents[0].Await("one capture", func() bool { return strings.Count(agents[0].Text()+agents[1].Text(), "capture started") == 1 })
				first(0)
				first(1)
			}
			agents[0].capturing(1)
			agents[1].capturing(1)
			send()
			x.rebind(t)
			send()
			used := map[string]bool{}
			for _, p := range sen.report() {
				used[portPattern.FindStringSubmatch(p.head)[1]] = true
			}
			if want := len(agents); ports == "1" && len(used) != 1 || ports != "1" && len(used) != want {
				t.Errorf("data ports %v", used)
			}
			for _, p := range sen.end() {
				if p.missing != 0 || p.malformed != 0 || p.captured != p.frames || p.frames < 2*frames {
					t.Errorf("%+v", p)
				}
			}
			if n := strings.Count(sen.Text(), "stream continues from another source port"); n != 2 {
				t.Errorf("%d streams continued from another port, want 2", n)
			}
			got := map[string]map[int]int{}
			for _, f := range readFrames(t, sen.file) {
				if got[f.from] == nil {
					got[f.from] = map[int]int{}
				}
				if f.wire == sizes[0] || f.wire == sizes[1] {
					got[f.from][f.wire]++
				}
			}
			for name, bySize := range got {
				if len(bySize) != 1 || bySize[sizes[0]]+bySize[sizes[1]] != int(2*frames) {
					t.Errorf("%s brought %v", name, bySize)
				}
			}
			if len(got) != 2 {
				t.Errorf("frames of %d agents", len(got))
			}
		})
	}
}
