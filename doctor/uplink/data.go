package uplink

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"rpcapd/doctor"
	"rpcapd/udpsock"
)

// unprobed is the result of a check that needs probes, if there are none.
func (v *Visit) unprobed(p probed) (doctor.Result, bool) {
	switch {
	case errors.Is(p.err, errEarlier):
		return doctor.NotChecked("no session"), true
	case p.err != nil:
		return doctor.NotChecked("no echo: the sensor is not an rpcap-sensor of this version, so it sends no probe back, and a firewall would look the same. " +
			"To tell: let it capture, and compare datagrams sent in rpcapd status with what the sensor has received"), true
	case v.talked().offer.TCP:
		return doctor.NotChecked("the sensor's rules take frames over TCP"), true
	case p.listed == 0:
		return doctor.Failed("the sensor could not open any data port", "no capture can start", "on the sensor's host: rpcap-sensor doctor --check ports"), true
	}
	return doctor.Result{}, false
}

func (v *Visit) checkDataPorts() (list []doctor.Result) {
	p := v.probed()
	if r, yes := v.unprobed(p); yes {
		return one(r)
	}
	offer := v.talked().offer
	var good, silent, refused, here []uint16
	var local error
	for _, r := range p.ports {
		switch {
		case r.small:
			good = append(good, r.port)
		case errors.Is(r.err, syscall.EPERM), errors.Is(r.err, syscall.EACCES):
			here, local = append(here, r.port), r.err
		case errors.Is(r.err, syscall.ECONNREFUSED), errors.Is(r.err, syscall.EHOSTUNREACH):
			refused = append(refused, r.port)
		default:
			silent = append(silent, r.port)
		}
	}
	bad := func(ports []uint16, what, means, where string) {
		if len(ports) == 0 {
			return
		}
		seen := fmt.Sprintf("UDP %s: %s", portText(ports), what)
		if len(good) > 0 {
			seen += fmt.Sprintf("; %s: good", portText(good))
		}
		list = append(list, doctor.Failed(seen, means, fmt.Sprintf("allow UDP %s from this host to the sensor %s: nft add rule inet filter %s udp dport %s accept",
			portText(ports), where, chainOf(where), nftPorts(ports))))
	}
	bad(here, hereText(local), "a firewall or policy of this host refuses the datagrams; frames for these ports are lost", "on this host")
	bad(refused, "rejected, although the sensor has the port open", "a firewall rejects the datagrams, or a NAT leads UDP to another host than TCP; frames for these ports are lost", "in the firewalls between")
	bad(silent, "no echo", "a firewall drops the datagrams, there or on their way back; frames for these ports are lost without a trace. The sensor spreads captures over its ports, so some work", "in the firewalls between")
	if len(offer.Closed) > 0 {
		list = append(list, doctor.Warning(fmt.Sprintf("UDP %s: the sensor could not open the port", portText(offer.Closed)), "it uses the others; another program on its host has the port",
			fmt.Sprintf("on the sensor's host: ss -lnup 'sport = :%d'", offer.Closed[0])))
	}
	if r := v.opts.Policy.DataPorts; !allowed(offer.Ports, r.Contains) {
		list = append(list, doctor.Failed(fmt.Sprintf("the sensor uses UDP %s, and the ini allows %s", portText(offer.Ports), r), "the agent refuses captures to the other ports",
			fmt.Sprintf("in the ini: DataPorts = %d-%d", offer.Ports[0], offer.Ports[len(offer.Ports)-1])))
	}
	if len(list) == 0 {
		return one(doctor.OK("UDP %s: each port answers", portText(good)))
	}
	return list
}

func hereText(err error) string { return fmt.Sprintf("refused by this host: %v", err) }

func chainOf(where string) string {
	if where == "on this host" {
		return "output"
	}
	return "input"
}

func allowed(ports []uint16, contains func(uint16) bool) bool {
	for _, p := range ports {
		if !contains(p) {
			return false
		}
	}
	return true
}

// portText is a list of ports with ranges: "2003 to 2010, 2034".
func portText(ports []uint16) string { return join(ports, ", ", " to ") }

// nftPorts is the list as nft takes it.
func nftPorts(ports []uint16) string {
	s := join(ports, ", ", "-")
	if strings.ContainsRune(s, ',') {
		return "'{ " + s + " }'"
	}
	return s
}

func join(ports []uint16, between, to string) string {
	var parts []string
	for i := 0; i < len(ports); {
		k := i
		for k+1 < len(ports) && ports[k+1] == ports[k]+1 {
			k++
		}
		part := strconv.Itoa(int(ports[i]))
		if k > i {
			part += to + strconv.Itoa(int(ports[k]))
		}
		parts = append(parts, part)
		i = k + 1
	}
	return strings.Join(parts, between)
}

func (v *Visit) checkPathMTU() []doctor.Result {
	p := v.probed()
	if r, yes := v.unprobed(p); yes {
		if r.State == doctor.StateFailed {
			r = doctor.NotChecked("no data port")
		}
		return one(r)
	}
	var some, full int
	var lost []uint16
	told := false
	for _, r := range p.ports {
		if r.small {
			some++
		}
		if r.full {
			full++
		} else if r.small {
			lost = append(lost, r.port)
			told = told || errors.Is(r.err, syscall.EMSGSIZE)
		}
	}
	switch {
	case some == 0:
		return one(doctor.NotChecked("no data port answers"))
	case full == some:
		seen := fmt.Sprintf("datagrams of %d bytes pass", p.full)
		if p.mtu > 0 {
			seen += fmt.Sprintf(", the path MTU is %d", p.mtu)
		}
		return one(doctor.OK("%s", seen))
	case told:
		return one(doctor.OK("a router says that the path takes less than datagrams of %d bytes; the agent follows", p.full))
	case full > 0:
		return one(doctor.Failed(fmt.Sprintf("datagrams of %d bytes do not arrive at UDP %s, small ones do", p.full, portText(lost)), "full datagrams for these ports are lost without a trace",
			fmt.Sprintf("find the rule that drops long datagrams to UDP %s: nft list ruleset, here, on the sensor's host and between", portText(lost))))
	}
	works, size := "no size that was tried passes", 548
	if p.works > 0 {
		works, size = fmt.Sprintf("%d bytes pass", p.works), p.works
	}
	return one(doctor.Failed(fmt.Sprintf("datagrams of %d bytes do not arrive, small ones do; %s", p.full, works),
		"a hop on the path takes only smaller datagrams and does not report it; full datagrams, that is most frames, are lost without a trace",
		fmt.Sprintf("start the agent with -t %d (RPCAPD_OPTIONS), or let ICMP \"fragmentation needed\" pass", size)))
}

func (v *Visit) checkSuperPackets() []doctor.Result {
	if runtime.GOOS != "linux" {
		return one(doctor.NotChecked("Linux only"))
	}
	if v.opts.GSO == udpsock.Off {
		return one(doctor.NotChecked("segmentation offload is off (--gso off)"))
	}
	p := v.probed()
	if r, yes := v.unprobed(p); yes {
		if r.State == doctor.StateFailed {
			r = doctor.NotChecked("no data port")
		}
		return one(r)
	}
	s := p.super
	switch {
	case !s.tried:
		return one(doctor.NotChecked("no datagram of the full size arrives, or datagrams are too large for super-packets"))
	case s.err != nil && s.sent == 0:
		return one(doctor.Warning(fmt.Sprintf("super-packets are refused: %v", s.err), "a device or the firewall of this host does not take them; the agent sends datagrams one by one, which costs more CPU time and loses nothing",
			"nothing to do, or start the agent with --gso off to save the attempts"))
	case s.back == 0:
		return one(doctor.Failed(fmt.Sprintf("of %d datagrams in super-packets none arrived, single ones do", s.sent),
			"a firewall, a network card, or a virtual switch drops what segmentation offload makes, silently; most frames are lost. An rpcap-sensor notices that, and asks for single datagrams after some seconds",
			"start the agent with --gso off: in /etc/default/rpcapd or /etc/sysconfig/rpcapd RPCAPD_OPTIONS=\"--gso off\", then systemctl restart rpcapd; or find the rule: nft list ruleset"))
	case s.back*10 < s.sent*9:
		return one(doctor.Warning(fmt.Sprintf("of %d datagrams in super-packets %d arrived", s.sent, s.back), "the path loses datagrams that come back to back: a buffer is too small, or the receiving host drops",
			"on the sensor's host: rpcap-sensor doctor --check buffers; if that is good, start the agent with --gso off and compare"))
	}
	return one(doctor.OK("%d datagrams of %d bytes, sent with one call, arrived", s.back, p.full))
}
