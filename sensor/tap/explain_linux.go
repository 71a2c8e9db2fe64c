package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// opOpen is the operation of the error of a clone device that cannot be opened.
const opOpen = "open"

// dropIn is what the packages ship for a service that is to make TAP interfaces.
const dropIn = "copy /usr/share/doc/rpcap-sensor/examples/tap.conf to /etc/systemd/system/rpcap-sensor.service.d/, " +
	"then systemctl daemon-reload and systemctl restart rpcap-sensor"

// machine is what is known of where the program runs.
type machine struct {
	service   bool // of systemd
	ownDev    bool // /dev is not that of the machine: PrivateDevices=yes, or a container
	driver    bool // the tun driver is loaded
	admin     bool // CAP_NET_ADMIN
	nodeThere bool // there is a clone device
}

func lookAtMachine() machine {
	m := machine{service: os.Getenv("INVOCATION_ID") != "" && os.Getppid() == 1}
	_, err := os.Stat(cloneDevice)
	m.nodeThere = err == nil
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		m.ownDev = ownDevices(string(mounts))
	}
	if drivers, err := os.ReadFile("/proc/misc"); err == nil {
		for line := range strings.Lines(string(drivers)) {
			m.driver = m.driver || strings.HasSuffix(strings.TrimSpace(line), " tun")
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) == nil {
		m.admin = data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
	}
	return m
}

// ownDevices reports whether /dev is a file system of this process's own, from /proc/self/mountinfo: that of the machine is
// a devtmpfs.
func ownDevices(mounts string) (own bool) {
	for line := range strings.Lines(mounts) {
		front, behind, _ := strings.Cut(line, " - ")
		if f, kind := strings.Fields(front), strings.Fields(behind); len(f) > 4 && f[4] == "/dev" && len(kind) > 0 {
			own = kind[0] != "devtmpfs" // the last one covers the others
		}
	}
	return own
}

// explain tells why an interface cannot be had, and what to do.
func explain(name string, made bool, m machine, err error) error {
	head := "open TAP interface " + name
	if made {
		head = "make TAP interface " + name
	}
	var path *fs.PathError
	opening := errors.As(err, &path) && path.Op == opOpen
	cause := ""
	switch {
	case opening && errors.Is(err, unix.ENOENT):
		cause = noDevice(m)
	case opening && errors.Is(err, unix.EPERM):
		cause = "the control group of this process does not allow the device: DeviceAllow=" + cloneDevice + " rw; " + dropIn
		if !m.service {
			cause = "the control group of this process does not allow the device; start the container with --device " + cloneDevice
		}
	case opening && errors.Is(err, unix.EACCES):
		cause = "the mode of " + cloneDevice + " does not let this user open it: chmod 0666 " + cloneDevice
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		cause = "the kernel's tun driver is not loaded: modprobe tun"
	case errors.Is(err, unix.EPERM) && made:
		cause = "this program has no CAP_NET_ADMIN; " + capability(m) + ", or create the interface first for its user: " + recipe(name)
	case errors.Is(err, unix.EPERM):
		cause = "it was made for another user, and this program has no CAP_NET_ADMIN; " + capability(m) + ", or create it again for this user: " +
			"ip link del " + name + " && " + recipe(name)
	case errors.Is(err, unix.EBUSY):
		cause = "another program has it open; end that, or choose another name"
	case errors.Is(err, unix.EINVAL):
		cause = "an interface that is not a TAP interface has this name; choose another name"
	default:
		return fmt.Errorf("%s: %w", head, err)
	}
	return fmt.Errorf("%s: %w: %s", head, err, cause)
}

// noDevice tells why there is no clone device.
func noDevice(m machine) string {
	switch {
	case m.ownDev && m.service:
		return "the unit has PrivateDevices=yes, which hides it; " + dropIn
	case m.ownDev:
		return "this container has no such device; start it with --device " + cloneDevice
	case m.driver:
		return "the tun driver is loaded and its device is missing: mkdir -p /dev/net && mknod -m 0666 " + cloneDevice + " c 10 200"
	}
	return "the kernel's tun driver is not loaded: modprobe tun"
}

// capability is how this process would get CAP_NET_ADMIN.
func capability(m machine) string {
	if m.service {
		return dropIn
	}
	return "start it as root, by setcap cap_net_admin+ep on its file, or in a unit with AmbientCapabilities=CAP_NET_ADMIN"
}

// recipe makes an interface beforehand on which the kernel says nothing of its own.
func recipe(name string) string {
	return fmt.Sprintf("ip tuntap add mode tap user %s name %s && ip link set %s addrgenmode none mtu %d arp off multicast off up", userName(), name, name, MaxMTU)
}

// explainGuard tells why there is no guard; nil if there is.
func explainGuard(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: this program has no CAP_NET_ADMIN; %s, or give interface and readers a network namespace of their own and write Guard = no", err, capability(lookAtMachine()))
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: the kernel has no classifier for it (modprobe sch_ingress cls_bpf)", err)
	}
	return err
}

const cloneDevice = "/dev/net/tun"
