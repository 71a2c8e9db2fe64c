package system

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// Addresses of the feedback tests.
const (
	natHost    = "10.9.0.2"
	natRouter  = "10.9.0.1"
	natVirtual = "203.0.113.5" // nobody has it
	natInner   = "10.99.0.1"   // of the host, on no network
	natSensor  = "10.2.0.3"
)

// TestRootNeverFeedsOnItself captures on the uplink that carries the export, over UDP and TCP
// at once, to ports that nobody would take for a sensor's, and puts a NAT in between: what
// AF_PACKET sees then has other addresses than the agent has dialed, and, after the double
// DNAT, than the sensor knows of itself.
//
//	host eth1 ── router ── eth0 sensor, twice: ports 3003 and 5003 (UDP), 3004 and 6003 (TCP)
func TestRootNeverFeedsOnItself(t *testing.T) {
	const (
		hostDNAT   = "table ip nat { chain out { type nat hook output priority -100; ip daddr %s dnat to %s; }; }"
		routerDNAT = "table ip nat { chain in { type nat hook prerouting priority -100; ip daddr " + natRouter + " dnat to " + natSensor + "; }; }"
		masquerade = "table ip nat { chain post { type nat hook postrouting priority 100; oifname \"eth1\" masquerade; }; }"
	)
	for _, x := range []struct {
		name         string
		dial         string
		host, router string // rules
		inner        bool   // the host sends from natInner
	}{
		{name: "plain", dial: natSensor},
		{name: "router DNAT", dial: natRouter, router: routerDNAT},
		{name: "host DNAT", dial: natVirtual, host: fmt.Sprintf(hostDNAT, natVirtual, natSensor)},
		{name: "double DNAT", dial: natVirtual, host: fmt.Sprintf(hostDNAT, natVirtual, natRouter), router: routerDNAT},
		{name: "masquerade and double DNAT", dial: natVirtual, host: fmt.Sprintf(hostDNAT, natVirtual, natRouter) + "\n" + masquerade, router: routerDNAT, inner: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			host, sensorHost := newFeedback(t, x.host, x.router, x.inner)
			sensors := []*sensor{
				startSensor(t, sensorHost, "--listen", ":3003", "--udp-port", "5003", "--udp-ports", "4"),
				startSensor(t, sensorHost, "--listen", ":3004", "--udp-port", "6003", "--udp-ports", "4", "--tcp"),
			}
			a := startAgent(t, host, fmt.Sprintf("ActiveClient = %s, 3003, ifname=eth1\nActiveClient = %s, 3004, ifname=eth1", x.dial, x.dial))
			a.capturing(2)
			sensors[0].forwarding(1)
			sensors[1].forwarding(1)
			must(t, ping(host, "", natSensor, 5, 1000)) // something to begin with
			const silence = 1500 * time.Millisecond
			// 100 in 10 s: statistics each 5 s, neighbours.
			quiet(t, "host", func() uint64 { return sentFrames(host, "eth1") }, 100*uint64(silence)/uint64(10*time.Second)+5, silence)
			for i, s := range sensors {
				if p := one(t, s.end()); p.frames < 10 || p.frames > 100 || p.missing != 0 {
					t.Errorf("sensor %d: %+v", i, p)
				}
			}
		})
	}
}

func newFeedback(t *testing.T, hostRules, routerRules string, inner bool) (host, sensorHost *netlab.Namespace) {
	t.Helper()
	lab := netlab.New(t)
	host, sensorHost = lab.Namespace("host"), lab.Namespace("sensor")
	router := lab.Namespace("router")
	for _, n := range []*netlab.Namespace{host, router, sensorHost} {
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1")
	}
	lab.Veth(host, "eth1", router, "in")
	lab.Veth(router, "out", sensorHost, "eth0")
	host.AddAddr("eth1", natHost+"/24")
	router.AddAddr("in", natRouter+"/24")
	router.AddAddr("out", "10.2.0.1/24")
	sensorHost.AddAddr("eth0", natSensor+"/24")
	router.Sysctl("ipv4/ip_forward", "1")
	sensorHost.AddRoute("0.0.0.0/0", "10.2.0.1")
	if inner {
		host.AddAddr("lo", natInner+"/32")
		host.Must(func() error {
			_, all, _ := net.ParseCIDR("0.0.0.0/0")
			return netlink.RouteAdd(&netlink.Route{Dst: all, Gw: net.ParseIP(natRouter), Src: net.ParseIP(natInner)})
		})
	} else {
		host.AddRoute("0.0.0.0/0", natRouter)
	}
	for n, rules := range map[*netlab.Namespace]string{host: hostRules, router: routerRules} {
		if rules == "" {
			continue
		}
		err := n.NFT(rules)
		if errors.Is(err, netlab.ErrNoNFT) {
			netlab.Missing(t, err.Error())
		}
		if err != nil {
			netlab.Missing(t, "this kernel has no NAT: "+err.Error())
		}
	}
	return host, sensorHost
}

// TestRootDatagramsLedElsewhere: a NAT leads TCP to the sensor and UDP to a host that has no such port open. Nothing
// arrives, and the agent says why: in its log once, in its status with the number.
func TestRootDatagramsLedElsewhere(t *testing.T) {
	t.Parallel()
	host, sensorHost := newFeedback(t, "", "table ip nat { chain in { type nat hook prerouting priority -100; "+
		"ip daddr "+natSensor+" meta l4proto udp dnat to "+natRouter+"; }; }", false)
	startSensor(t, sensorHost)
	a := startAgent(t, host, "ActiveClient = "+natSensor+", 2003, ifname=eth1")
	a.capturing(1)
	const name = "connection refused"
	a.Await("the refusals in the status", func() bool {
		must(t, ping(host, "", natSensor, 5, 100))
		return len(a.session().SendErrors) > 0
	})
	x := a.session()
	var sum uint64
	for _, e := range x.SendErrors {
		sum += e.Errors
	}
	if e := x.SendErrors[0]; e.Errno != "ECONNREFUSED" || !strings.HasPrefix(e.Text, name) || sum != x.Total.ICMPErrors {
		t.Errorf("%+v, %d ICMP errors", x.SendErrors, x.Total.ICMPErrors)
	}
	out, err := host.Command(harness.Program(t, "rpcapd"), "status", "--run-dir", a.runDir).CombinedOutput()
	if err != nil || !regexp.MustCompile(`send errors \d+: `+name).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
	if n := strings.Count(a.Text(), "send errors, the capture continues"); n != 1 {
		t.Errorf("%d lines in the log about it, want 1:\n%s", n, a.Text())
	}
}
