package uplink

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"rpcapd/udpstr"
)

// dontFragment has the kernel refuse what the path does not take, as for the agent's udpstr.
func dontFragment(network, _ string, c syscall.RawConn) error {
	level, option := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
	if network == "udp6" {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt MTU_DISCOVER", unix.SetsockoptInt(int(fd), level, option, unix.IP_PMTUDISC_DO))
	}); e != nil {
		return e
	}
	return err
}

// pathMTU is what the kernel knows of the path; 0 if it does not say.
func (s *probeSocket) pathMTU() (mtu int) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return 0
	}
	to, _ := netip.ParseAddrPort(s.conn.RemoteAddr().String())
	_ = raw.Control(func(fd uintptr) { // fails after close only
		if to.Addr().Unmap().Is4() {
			mtu, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			mtu, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
	})
	if err != nil {
		return 0
	}
	return mtu
}

// sendSuper sends n probes of one size with one system call, as a super-packet.
func (s *probeSocket) sendSuper(size, n int, first uint32) error {
	var run []byte
	for i := range n {
		run = udpstr.Probe{Size: size, Number: first + uint32(i), Token: s.token}.Append(run)
	}
	oob := make([]byte, unix.CmsgSpace(2))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&oob[unix.CmsgLen(0)])) = uint16(size)
	_, _, err := s.conn.WriteMsgUDP(run, oob, nil)
	return err
}
