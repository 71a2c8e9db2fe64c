package host

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"rpcapd/doctor"
)

// System names the operating system.
func System() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// SendOffload asks the kernel whether it segments datagrams (UDP_SEGMENT), as the agent does.
func SendOffload(context.Context) doctor.Result {
	return offload(unix.UDP_SEGMENT, "the kernel cuts super-packets (UDP_SEGMENT)",
		"the kernel cannot cut super-packets (UDP_SEGMENT, Linux 4.18)", "the agent sends datagrams one by one, which costs three to five times the CPU time; nothing is lost")
}

// ReceiveOffload asks the kernel whether it joins datagrams (UDP_GRO), as the sensor does.
func ReceiveOffload(context.Context) doctor.Result {
	return offload(unix.UDP_GRO, "the kernel joins datagrams (UDP_GRO)",
		"the kernel cannot join datagrams (UDP_GRO, Linux 5.0)", "the sensor receives datagrams one by one, which costs more CPU time; nothing is lost")
}

func offload(option int, good, bad, means string) doctor.Result {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return doctor.NotChecked("no UDP socket: %v", err)
	}
	defer unix.Close(fd) // nothing was sent
	if _, err = unix.GetsockoptInt(fd, unix.IPPROTO_UDP, option); errors.Is(err, unix.ENOPROTOOPT) {
		return doctor.Warning(bad, means, "a newer kernel")
	} else if err != nil {
		return doctor.NotChecked("%v", err)
	}
	return doctor.OK("%s", good)
}
