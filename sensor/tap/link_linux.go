package tap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// control sets what belongs to an interface and not to its file. It is of the network namespace of the thread that
// makes it; an interface that was moved to another one is not found.
type control struct {
	fd    int // a socket for ioctl
	name  string
	index int
}

func newControl(name string) (*control, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("find TAP interface %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("set up TAP interface %s: %w", name, os.NewSyscallError("socket", err))
	}
	return &control{fd: fd, name: name, index: i.Index}, nil
}

func (c *control) close() { unix.Close(c.fd) } // nothing was written

func (c *control) ioctl(what string, number uint, set func(*unix.Ifreq)) (*unix.Ifreq, error) {
	r, err := unix.NewIfreq(c.name)
	if err != nil {
		return nil, err
	}
	if set != nil {
		set(r)
	}
	if err := unix.IoctlIfreq(c.fd, number, r); err != nil {
		return nil, fmt.Errorf("%s of TAP interface %s: %w", what, c.name, err)
	}
	return r, nil
}

func (c *control) mtu() (int, error) {
	r, err := c.ioctl("read MTU", unix.SIOCGIFMTU, nil)
	if err != nil {
		return 0, err
	}
	return int(r.Uint32()), nil
}

func (c *control) setMTU(mtu int) error {
	_, err := c.ioctl(fmt.Sprintf("set MTU %d", mtu), unix.SIOCSIFMTU, func(r *unix.Ifreq) { r.SetUint32(uint32(mtu)) })
	return err
}

// changeFlags sets and clears flags of the interface, if they are not so already.
func (c *control) changeFlags(set, clear uint16) error {
	r, err := c.ioctl("read flags", unix.SIOCGIFFLAGS, nil)
	if err != nil {
		return err
	}
	was := r.Uint16()
	if flags := was&^clear | set; flags != was {
		_, err = c.ioctl("set flags", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) { r.SetUint16(flags) })
	}
	return err
}

// up sets the interface up.
func (c *control) up() error {
	err := c.changeFlags(unix.IFF_UP, 0)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: it is down, and this program may not change that: ip link set %s up", err, c.name)
	}
	return err
}

// silence keeps the kernel from sending anything of its own on an interface that was just made, and from listening to
// what is for it. Part of it is not possible where /proc/sys is read-only; then the guard does it alone.
func (c *control) silence(log *zap.Logger) {
	errs := []error{c.changeFlags(unix.IFF_NOARP, unix.IFF_MULTICAST), c.noLinkLocal()}
	for _, s := range []struct{ family, name, value string }{
		{"ipv6", "disable_ipv6", "1"},
		{"ipv4", "forwarding", "0"},
		{"ipv4", "rp_filter", "1"}, // without an address no source has its way back here
		{"ipv4", "arp_ignore", "8"},
	} {
		path := filepath.Join("/proc/sys/net", s.family, "conf", c.name, s.name)
		errs = append(errs, os.WriteFile(path, []byte(s.value), 0o644))
	}
	if err := errors.Join(errs...); err != nil {
		log.Debug("TAP interface not silenced in every way", zap.String("interface", c.name), zap.Error(err))
	}
}

// userName is who an interface would have to be made for.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}
