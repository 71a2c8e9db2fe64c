package tap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/vishvananda/netlink"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// control sets what belongs to an interface and not to its file. It is of the network namespace of the thread that
// makes it; an interface that was moved to another one is not found.
type control struct {
	link netlink.Link // as it was when it was found
	name string
}

func newControl(name string) (*control, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find TAP interface %s: %w", name, err)
	}
	return &control{link, name}, nil
}

func (c *control) mtu() int { return c.link.Attrs().MTU }

func (c *control) setMTU(mtu int) error {
	if err := netlink.LinkSetMTU(c.link, mtu); err != nil {
		return fmt.Errorf("set MTU %d of TAP interface %s: %w", mtu, c.name, os.NewSyscallError("netlink RTM_NEWLINK", err))
	}
	return nil
}

// up sets the interface up, if it is not: whoever may not change it may use one that is.
func (c *control) up() error {
	if c.link.Attrs().Flags&net.FlagUp != 0 {
		return nil
	}
	err := os.NewSyscallError("netlink RTM_NEWLINK", netlink.LinkSetUp(c.link))
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("set TAP interface %s up: %w: it is down, and this program may not change that: ip link set %s up", c.name, err, c.name)
	case err != nil:
		return fmt.Errorf("set TAP interface %s up: %w", c.name, err)
	}
	return nil
}

// silence keeps the kernel from sending anything of its own on an interface that was just made, and from listening to
// what is for it. Part of it is not possible where /proc/sys is read-only; then the guard does it alone.
func (c *control) silence(log *zap.Logger) {
	errs := []error{
		netlink.LinkSetARPOff(c.link), netlink.LinkSetMulticastOff(c.link),
		netlink.LinkSetIP6AddrGenMode(c.link, addrGenModeNone),
	}
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
		log.Debug("cannot silence the TAP interface completely", zap.String("interface", c.name), zap.Error(err))
	}
}

// userName is who an interface would have to be made for.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}

const addrGenModeNone = 1 // IN6_ADDR_GEN_MODE_NONE
