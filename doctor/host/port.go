package host

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"

	"rpcapd/doctor"
	"rpcapd/numbers"
)

// Ports tries to open ports at an address, and names who has those that cannot be opened. mine is the name of the program that
// may have them already, because it runs.
func Ports(what string, tcp bool, addr netip.Addr, ports []uint16, mine string) doctor.Result {
	free, own := 0, 0
	for _, port := range ports {
		err := tryPort(tcp, netip.AddrPortFrom(addr, port))
		if err == nil {
			free++
			continue
		}
		pid, name := PortOwner(tcp, port)
		proto := map[bool]string{true: "TCP", false: "UDP"}[tcp]
		option := map[bool]string{true: "-lntp", false: "-lnup"}[tcp]
		show := fmt.Sprintf("ss %s 'sport = :%d'", option, port)
		switch {
		case pid > 0 && name == mine:
			own++
			continue
		case pid == 0 && running(mine):
			own++ // its own most likely; this user may not see
			continue
		case errors.Is(err, fs.ErrPermission):
			return doctor.Failed(fmt.Sprintf("%s: %s port %d: %v", what, proto, port, short(err)), "this user may not open ports below 1024", "take a port above 1023, or start it with CAP_NET_BIND_SERVICE")
		case pid > 0:
			return doctor.Failed(fmt.Sprintf("%s: %s port %d: process %d (%s) has it", what, proto, port, pid, name), "the sensor does not start, or does without this port",
				fmt.Sprintf("end that program, or take another port; %s shows it", show))
		}
		return doctor.Failed(fmt.Sprintf("%s: %s port %d: %v", what, proto, port, short(err)), "the sensor does not start, or does without this port", show+" shows who has it; end that program, or take another port")
	}
	switch {
	case own == 0:
		return doctor.OK("%s: %s free", what, numbers.Things(free, "port"))
	case free == 0:
		return doctor.OK("%s: %s of the running %s", what, numbers.Things(own, "port"), mine)
	}
	return doctor.OK("%s: %s of the running %s, %d free", what, numbers.Things(own, "port"), mine, free)
}

func running(name string) bool {
	list, _ := Processes(name)
	return len(list) > 0
}

func tryPort(tcp bool, at netip.AddrPort) error {
	address := at.String()
	if !at.Addr().IsValid() || at.Addr() == netip.IPv6Unspecified() {
		address = fmt.Sprintf(":%d", at.Port())
	}
	if tcp {
		l, err := net.Listen("tcp", address)
		if err == nil {
			err = l.Close()
		}
		return err
	}
	c, err := net.ListenPacket("udp", address)
	if err == nil {
		err = c.Close()
	}
	return err
}

// short is an error of package net without the address.
func short(err error) string {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return strings.TrimPrefix(op.Err.Error(), "bind: ")
	}
	return err.Error()
}
