//go:build !linux && !windows && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package iface

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// read asks the net package, which knows neither connection status nor peers.
func read() ([]Interface, error) {
	found, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	list := make([]Interface, 0, len(found))
	for _, f := range found {
		i := Interface{
			Index:        f.Index,
			Name:         f.Name,
			MTU:          f.MTU,
			HardwareAddr: f.HardwareAddr,
			Broadcast:    f.Flags&net.FlagBroadcast != 0,
			PointToPoint: f.Flags&net.FlagPointToPoint != 0,
		}
		i.Flags = portableFlags(f.Flags)
		addrs, err := f.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", f.Name, err)
		}
		i.Addresses = portableAddresses(&i, addrs)
		list = append(list, i)
	}
	return list, nil
}

func portableFlags(f net.Flags) Flags {
	var out Flags
	if f&net.FlagUp != 0 {
		out |= Up
	}
	if f&net.FlagRunning != 0 {
		out |= Running
	}
	if f&net.FlagLoopback != 0 {
		out |= Loopback | NotApplicable
	}
	return out
}

// portableAddresses puts IPv4 first. The broadcast address is computed, as the
// net package does not give it.
func portableAddresses(i *Interface, addrs []net.Addr) []Address {
	var v4, v6 []Address
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		addr, ok := netip.AddrFromSlice(n.IP)
		if !ok {
			continue
		}
		addr = addr.Unmap()
		ones, bits := n.Mask.Size()
		if bits == 128 && addr.Is4() {
			ones -= 96
		}
		if addr.Is4() {
			one := Address{Addr: addr, Prefix: ones}
			if i.Broadcast {
				one.Broadcast = lastOf(netip.PrefixFrom(addr, ones))
			}
			v4 = append(v4, one)
			continue
		}
		if addr.IsLinkLocalUnicast() {
			addr = addr.WithZone(strconv.Itoa(i.Index))
		}
		v6 = append(v6, Address{Addr: addr, Prefix: ones})
	}
	return append(v4, v6...)
}
