//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package iface

import (
	"testing"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// TestRouteMessages: what x/net/route makes of messages is what this package takes of them.
func TestRouteMessages(t *testing.T) {
	addrs := make([]route.Addr, unix.RTAX_MAX)
	addrs[unix.RTAX_IFP] = &route.LinkAddr{Index: 3, Name: "em0", Addr: []byte{2, 0, 0, 0, 0, 3}}
	l := linkOf(&route.InterfaceMessage{Index: 3, Name: "em0", Flags: routeUp, Addrs: addrs})
	if l.index != 3 || l.name != "em0" || len(l.hardware) != 6 || l.flags != routeUp {
		t.Errorf("%+v", l)
	}
	addrs[unix.RTAX_IFA] = &route.Inet6Addr{IP: [16]byte{0xfe, 0x80, 15: 1}, ZoneID: 3}
	addrs[unix.RTAX_NETMASK] = &route.Inet6Addr{IP: [16]byte{255, 255}}
	if a := addressOf(&route.InterfaceAddrMessage{Index: 3, Addrs: addrs}); a.addr.String() != "fe80::1" || a.prefix() != 16 || a.broadcast.IsValid() {
		t.Errorf("%+v", a)
	}
	if a := addressOf(&route.InterfaceAddrMessage{Index: 3}); a.addr.IsValid() {
		t.Errorf("%+v", a)
	}
	for bit, want := range map[int]int{unix.IFF_UP: routeUp, unix.IFF_BROADCAST: routeBroadcast, unix.IFF_LOOPBACK: routeLoopback,
		unix.IFF_POINTOPOINT: routePointToPoint, unix.IFF_RUNNING: routeRunning} {
		if bit != want {
			t.Errorf("%#x on this system, %#x here", bit, want)
		}
	}
}
