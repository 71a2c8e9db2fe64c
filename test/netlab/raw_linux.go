package netlab

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// SendRaw sends frames as they are, Ethernet headers and all, out of an interface of the namespace that it runs in (Namespace.Do).
func SendRaw(index int, frames ...[]byte) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open raw socket: %w", err)
	}
	defer unix.Close(fd)
	for _, f := range frames {
		etherType := binary.BigEndian.Uint16(f[12:])
		to := &unix.SockaddrLinklayer{Ifindex: index, Protocol: etherType<<8 | etherType>>8}
		if err := unix.Sendto(fd, f, 0, to); err != nil {
			return fmt.Errorf("send frame of %d bytes: %w", len(f), err)
		}
	}
	return nil
}
