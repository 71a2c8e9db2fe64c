package system

import (
	"testing"

	"rpcapd/test/netlab"
)

// Addresses of the three hosts.
const (
	clientV4, clientV6 = "10.1.0.1", "fd01::1"
	hostV4, hostV6     = "10.1.0.2", "fd01::2"
	exportV4, exportV6 = "10.2.0.2", "fd02::2"
	sensorV4, sensorV6 = "10.2.0.3", "fd02::3"
)

// stage is the three hosts of doc.go.
type stage struct {
	lab                  *netlab.Lab
	client, host, sensor *netlab.Namespace
}

func newStage(t *testing.T) *stage {
	t.Helper()
	lab := netlab.New(t)
	s := &stage{lab: lab, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		usableAtOnce(n)
	}
	lab.Veth(s.client, "eth0", s.host, "eth0")
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	address(s.client, "eth0", clientV4, clientV6)
	address(s.host, "eth0", hostV4, hostV6)
	address(s.host, "eth1", exportV4, exportV6)
	address(s.sensor, "eth0", sensorV4, sensorV6)
	return s
}

// usableAtOnce lets addresses be used without a search for duplicates.
func usableAtOnce(n *netlab.Namespace) { n.Sysctl("ipv6/conf/default/accept_dad", "0") }

func address(n *netlab.Namespace, name, v4, v6 string) {
	n.AddAddr(name, v4+"/24")
	n.AddAddr(name, v6+"/64")
}
