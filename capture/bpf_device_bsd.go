//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package capture

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// minBPFBuffer is the smallest buffer that is worth trying when the kernel has no memory for a larger one.
	minBPFBuffer = 32 << 10
	// lastBPFDevice bounds the search among numbered devices.
	lastBPFDevice = 255
	// bpfRequestLen is the size of struct ifreq, which the request's number has in it: 32 bytes, 144 on NetBSD.
	bpfRequestLen = unix.BIOCSETIF >> 16 & 0x1fff
	// fionread is FIONREAD: _IOR('f', 127, int).
	fionread = 0x4004667f
)

// systemLayout is struct bpf_hdr of this system.
var systemLayout = recordLayout{
	secSize:  int(unsafe.Sizeof(unix.BpfHdr{}.Tstamp.Sec)),
	usecAt:   int(unsafe.Offsetof(unix.BpfHdr{}.Tstamp.Usec)),
	usecSize: int(unsafe.Sizeof(unix.BpfHdr{}.Tstamp.Usec)),
	caplenAt: int(unsafe.Offsetof(unix.BpfHdr{}.Caplen)),
	hdrlenAt: int(unsafe.Offsetof(unix.BpfHdr{}.Hdrlen)),
	align:    unix.BPF_ALIGNMENT,
}

// systemDLTs are the link types of this system: raw IP is 12 or 14, and 12 is the loopback header of OpenBSD.
var systemDLTs = dltNumbers{null: unix.DLT_NULL, ethernet: unix.DLT_EN10MB, raw: unix.DLT_RAW, loop: unix.DLT_LOOP}

// bpfHandle is a bpfDevice of the kernel.
type bpfHandle struct {
	fd     int
	chosen bpfLink
	bytes  int
}

// openDevice attaches a free device to an interface. Until start, everything is captured.
func openDevice(ifname string, bufferBytes int, promiscuous bool) (*bpfHandle, error) {
	fd, err := freeDevice()
	if err != nil {
		return nil, err
	}
	d := &bpfHandle{fd: fd}
	if err := d.configure(ifname, bufferBytes, promiscuous); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// freeDevice opens /dev/bpf, which makes a new device for each process that opens it, or where that does not exist the
// first numbered one that nobody uses. It opens for reading only: the agent sends nothing, and its user may have no more rights.
func freeDevice() (int, error) {
	open := func(path string) (int, error) {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return fd, nil
		case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
			return -1, fmt.Errorf("capturing needs the right to read %s (docs/SYSTEMS.md says how to give it), or root: %w", path, os.NewSyscallError("open", err))
		}
		return -1, fmt.Errorf("open %s: %w", path, os.NewSyscallError("open", err))
	}
	fd, err := open("/dev/bpf")
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EBUSY) {
		return fd, err
	}
	first := err
	for n := range lastBPFDevice + 1 {
		fd, err := open("/dev/bpf" + strconv.Itoa(n))
		switch {
		case err == nil:
			return fd, nil
		case errors.Is(err, unix.EBUSY):
			first = err
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO):
			return -1, fmt.Errorf("no capture device is free: %w", first)
		default:
			return -1, err
		}
	}
	return -1, fmt.Errorf("no capture device is free: %w", first)
}

// configure: the order matters. The size of the buffers is fixed by the interface, the link type belongs to it.
func (d *bpfHandle) configure(ifname string, bufferBytes int, promiscuous bool) error {
	if err := d.bind(ifname, bufferBytes); err != nil {
		return err
	}
	if err := d.chooseLinkType(); err != nil {
		return err
	}
	if err := d.setNumber(unix.BIOCIMMEDIATE, "BIOCIMMEDIATE", 1); err != nil {
		return err
	}
	// A packet on loopback passes the tap once, when it is sent; frames that this host sends are wanted everywhere.
	if err := d.bothDirections(); err != nil {
		return err
	}
	if promiscuous && d.chosen.linkType == LinkTypeEthernet {
		if err := d.ioctl(unix.BIOCPROMISC, "BIOCPROMISC", nil); err != nil {
			return fmt.Errorf("set promiscuous mode: %w", err)
		}
	}
	var size uint32
	if err := d.ioctl(unix.BIOCGBLEN, "BIOCGBLEN", unsafe.Pointer(&size)); err != nil {
		return err
	}
	d.bytes = int(size)
	return nil
}

// bind asks for buffers of the size given, and for smaller ones as long as there is no memory for them. The kernel cuts
// what is beyond its limit (net.bpf.maxbufsize, debug.bpf_maxbufsize on macOS).
func (d *bpfHandle) bind(ifname string, bufferBytes int) error {
	var request struct {
		name [unix.IFNAMSIZ]byte
		_    [bpfRequestLen - unix.IFNAMSIZ]byte
	}
	if len(ifname) >= len(request.name) {
		return ErrNoInterface
	}
	copy(request.name[:], ifname)
	for size := uint32(max(bufferBytes, minBPFBuffer)); ; size /= 2 {
		want := size
		if err := d.ioctl(unix.BIOCSBLEN, "BIOCSBLEN", unsafe.Pointer(&want)); err != nil {
			return fmt.Errorf("set buffers of %d bytes: %w", size, err)
		}
		err := d.ioctl(unix.BIOCSETIF, "BIOCSETIF", unsafe.Pointer(&request))
		if (errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)) && size/2 >= minBPFBuffer {
			continue
		}
		return err
	}
}

// chooseLinkType changes over to the best link type that the interface offers.
func (d *bpfHandle) chooseLinkType() error {
	var current uint32
	if err := d.ioctl(unix.BIOCGDLT, "BIOCGDLT", unsafe.Pointer(&current)); err != nil {
		return err
	}
	link, err := chooseLink(systemDLTs, current, d.offered())
	if err != nil {
		return err
	}
	d.chosen = link
	if link.dlt == current {
		return nil
	}
	return d.setNumber(unix.BIOCSDLT, "BIOCSDLT", link.dlt)
}

// offered lists the link types of the interface; none if the system does not say.
func (d *bpfHandle) offered() []uint32 {
	var types [64]uint32
	n, err := d.linkTypes(&types)
	if err != nil {
		return nil
	}
	return types[:min(int(n), len(types))]
}

func (d *bpfHandle) link() bpfLink { return d.chosen }
func (d *bpfHandle) size() int     { return d.bytes }

func (d *bpfHandle) start(p []bpf.RawInstruction) error {
	return d.setProgram(unix.BIOCSETF, "BIOCSETF", p)
}

func (d *bpfHandle) setProgram(request uint, name string, p []bpf.RawInstruction) error {
	if len(p) == 0 {
		return fmt.Errorf("set filter of 0 instructions: %w", os.NewSyscallError("ioctl "+name, unix.EINVAL))
	}
	insns := make([]unix.BpfInsn, len(p))
	for n, in := range p {
		insns[n] = unix.BpfInsn{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	program := unix.BpfProgram{Len: uint32(len(insns)), Insns: &insns[0]}
	if err := d.ioctl(request, name, unsafe.Pointer(&program)); err != nil {
		return fmt.Errorf("set filter of %d instructions: %w", len(p), err)
	}
	return nil
}

func (d *bpfHandle) waiting() (int, error) {
	var n int32
	err := d.ioctl(fionread, "FIONREAD", unsafe.Pointer(&n))
	return int(n), err
}

// readBlock: in immediate mode the kernel hands over what it has. Older versions of OpenBSD say 0 where others say EAGAIN.
func (d *bpfHandle) readBlock(b []byte) (int, error) {
	n, err := unix.Read(d.fd, b)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	if err != nil {
		return 0, os.NewSyscallError("read", err)
	}
	return n, nil
}

// attached: without an interface the device has no link type.
func (d *bpfHandle) attached() bool {
	var dlt uint32
	return d.ioctl(unix.BIOCGDLT, "BIOCGDLT", unsafe.Pointer(&dlt)) == nil
}

func (d *bpfHandle) drops() (deviceDrops, error) {
	var st unix.BpfStat
	err := d.ioctl(unix.BIOCGSTATS, "BIOCGSTATS", unsafe.Pointer(&st))
	return deviceDrops{ring: uint32(st.Drop)}, err
}

func (d *bpfHandle) close() error { return os.NewSyscallError("close", unix.Close(d.fd)) }

func (d *bpfHandle) setNumber(request uint, name string, value uint32) error {
	return d.ioctl(request, name, unsafe.Pointer(&value))
}

// ioctl goes through unix.Syscall: the package has no exported function that takes these structures. OpenBSD since 7.5
// allows this number alone that way.
func (d *bpfHandle) ioctl(request uint, name string, value unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d.fd), uintptr(request), uintptr(value)); errno != 0 {
		return os.NewSyscallError("ioctl "+name, errno)
	}
	return nil
}
