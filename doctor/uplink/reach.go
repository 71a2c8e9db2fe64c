package uplink

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"rpcapd/doctor"
)

func (v *Visit) checkDNS() []doctor.Result {
	host := v.target.Host
	n := v.names()
	var dns *net.DNSError
	switch {
	case n.err != nil && errors.As(n.err, &dns) && dns.IsNotFound:
		return one(doctor.Failed(fmt.Sprintf("there is no address for %s", host), "the agent cannot find the sensor, and tries again",
			fmt.Sprintf("correct the name in the ini, or write the sensor's address; to see what the name server says: getent ahosts %s", host)))
	case n.err != nil:
		return one(doctor.Failed(fmt.Sprintf("%s is not resolved: %v", host, n.err), "no name server answers; the agent cannot find the sensor, and tries again",
			"check the servers in /etc/resolv.conf and that UDP port 53 passes, or write the sensor's address into the ini"))
	case n.took > time.Second:
		return one(doctor.Warning(fmt.Sprintf("%s is %s, found after %v", host, addresses(n.addrs), n.took.Round(time.Millisecond)),
			"a name server is slow or does not answer; each connection of the agent waits as long", "check the servers in /etc/resolv.conf"))
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return one(doctor.OK("an address, no name"))
	}
	return one(doctor.OK("%s is %s", host, addresses(n.addrs)))
}

func addresses(list []netip.Addr) string {
	s := ""
	for i, a := range list {
		if i > 0 {
			s += ", "
		}
		s += a.String()
	}
	return s
}

func (v *Visit) checkTCP() []doctor.Result {
	d := v.dialed()
	port := v.target.Port
	switch {
	case errors.Is(d.err, errEarlier):
		return one(doctor.NotChecked("the name is not resolved"))
	case d.err == nil:
		return one(doctor.OK("port %d answers after %v", port, d.call.Took.Round(10*time.Microsecond)))
	case errors.Is(d.err, syscall.ECONNREFUSED):
		return one(doctor.Failed(fmt.Sprintf("TCP port %d: connection refused", port), "the host is up, but nothing listens at this port, or a firewall answers for it",
			fmt.Sprintf("on the sensor's host: systemctl start rpcap-sensor, then ss -lntp 'sport = :%d' shows it; if it listens, allow TCP port %d in the firewall", port, port)))
	case timedOut(d.err):
		return one(doctor.Failed(fmt.Sprintf("TCP port %d: no answer within %v", port, dialLimit), "a firewall drops the connection, the address is wrong, or the host is off",
			fmt.Sprintf("allow TCP port %d from this host to the sensor in each firewall between; on the sensor's host: nft add rule inet filter input tcp dport %d accept", port, port)))
	case errors.Is(d.err, syscall.ENETUNREACH), errors.Is(d.err, syscall.EHOSTUNREACH):
		return one(doctor.Failed(fmt.Sprintf("TCP port %d: %v", port, d.err), "this host has no route to the sensor, or a router or firewall says so",
			"ip route get "+v.target.Host))
	}
	return one(doctor.Failed(fmt.Sprintf("TCP port %d: %v", port, d.err), "the agent cannot connect", "allow TCP to the sensor in the firewall of this host"))
}

// timedOut says that nothing answered: also of several addresses.
func timedOut(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func (v *Visit) checkSession() []doctor.Result {
	t := v.talked()
	switch {
	case errors.Is(t.err, errEarlier):
		return one(doctor.NotChecked("no TCP connection"))
	case t.err != nil:
		return one(doctor.Failed(t.err.Error(), "the agent captures nothing for this sensor", v.sessionCure()))
	case t.none != nil:
		return one(doctor.OK("authenticated; %v, so it is not an rpcap-sensor, or an earlier version", t.none))
	}
	seen := "authenticated; it is an rpcap-sensor and answers probes"
	local := v.dialed().call.Local.Addr()
	if t.offer.Seen.IsValid() && local.IsValid() && t.offer.Seen != local {
		seen += fmt.Sprintf("; a NAT is between: this host is %s, the sensor sees %s", local, t.offer.Seen)
	}
	return one(doctor.OK("%s", seen))
}

// sessionCure depends on what the ini wants.
func (v *Visit) sessionCure() string {
	switch {
	case !v.dialed().call.Authenticated && v.opts.Policy.NullAuth:
		return "check that a sensor listens at this address and port, and that AllowAgents of its rules has this host; its log says whom it refuses"
	case !v.dialed().call.Authenticated:
		return "set NullAuthPermit = YES in the ini, or create an Account line with rpcapd passwd NAME and give the sensor this User and Password"
	}
	return "look into the log of the sensor"
}
