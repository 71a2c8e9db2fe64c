package iface

import (
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addStatus finds out what the link messages do not say: the connection status,
// and which interfaces are wireless. What cannot be found out stays unknown.
func addStatus(list []Interface) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fd = -1
	} else {
		defer unix.Close(fd)
	}
	for n := range list {
		i := &list[n]
		if i.Flags.Has(Loopback) {
			i.Flags |= NotApplicable
			continue
		}
		if isWireless(i) {
			i.Flags |= Wireless
		}
		if fd >= 0 {
			i.Flags |= status(fd, i.Name)
		}
	}
}

// isWireless looks for what the wireless stack adds to an interface in sysfs. The
// hardware types are those of wireless networks other than IEEE 802.11 as well.
func isWireless(i *Interface) bool {
	switch i.ARPType {
	case unix.ARPHRD_IRDA, unix.ARPHRD_IEEE80211, unix.ARPHRD_IEEE80211_PRISM, unix.ARPHRD_IEEE80211_RADIOTAP,
		unix.ARPHRD_IEEE802154, unix.ARPHRD_IEEE802154_MONITOR, unix.ARPHRD_6LOWPAN:
		return true
	}
	for _, entry := range []string{"wireless", "phy80211"} {
		if _, err := os.Stat(filepath.Join("/sys/class/net", i.Name, entry)); err == nil {
			return true
		}
	}
	return false
}

// status asks the driver whether there is a link (ETHTOOL_GLINK). Drivers that
// have no answer make it not applicable, as the capture library has it.
func status(fd int, name string) Flags {
	value := struct{ command, data uint32 }{command: unix.ETHTOOL_GLINK}
	// struct ifreq: the name and a union, here a pointer, of 24 bytes at most.
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	if len(name) >= len(request.name) {
		return StatusUnknown
	}
	copy(request.name[:], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	switch {
	case errors.Is(errno, unix.EOPNOTSUPP), errors.Is(errno, unix.EINVAL):
		return NotApplicable
	case errno != 0:
		return StatusUnknown
	case value.data != 0:
		return Connected
	}
	return Disconnected
}
