package netlab

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// AddTun makes a TUN interface, raw IP without a header in front, and sets it up.
// What is written to the file arrives at the interface, what the interface sends is
// read from it. The interface goes when the file is closed or the test ends. The
// error says why there is none: ordinary users may often not open /dev/net/tun.
func (n *Namespace) AddTun(name string) (*os.File, error) {
	n.lab.t.Helper()
	var tun *os.File
	err := n.Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		request, err := unix.NewIfreq(name)
		if err == nil {
			request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
		}
		if err != nil {
			unix.Close(fd)
			return fmt.Errorf("make interface %s: %w", name, err)
		}
		tun = os.NewFile(uintptr(fd), "/dev/net/tun")
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.lab.t.Cleanup(func() { tun.Close() })
	n.Up(name)
	return tun, nil
}
