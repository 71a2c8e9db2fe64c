package capture

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/windows"

	"rpcapd/filter"
	"rpcapd/iface"
	"rpcapd/printable"
	"rpcapd/udpstr"
)

const (
	// pcapErrBuf is PCAP_ERRBUF_SIZE.
	pcapErrBuf = 256
	// minToCopy is how much the driver gathers before it says so.
	minToCopy = 128 << 10
)

// What pcap_activate returns, see pcap.h.
const (
	pcapErrorNoSuchDevice = -5
	pcapErrorPermission   = -8
	pcapErrorNotUp        = -9
	pcapErrorPromisc      = -11
)

// pcapHandle is one pcap_t. It points into memory of the library, which does not move.
type pcapHandle struct {
	lib    *wpcap
	p      uintptr
	link   uint32
	ready  uintptr // event, 0: none
	header *[pcapHeaderLen]byte
	data   *byte
}

// open makes a handle that captures everything until it gets a filter.
func (w *wpcap) open(o Options) (device, error) {
	name, err := w.find(o.Interface)
	if err != nil {
		return nil, err
	}
	text, err := windows.BytePtrFromString(name)
	if err != nil {
		return nil, ErrNoInterface
	}
	var problem [pcapErrBuf]byte
	p := w.call(w.create, uintptr(unsafe.Pointer(text)), uintptr(unsafe.Pointer(&problem)))
	if p == 0 {
		return nil, fmt.Errorf("pcap_create: %s", driverText(problem[:]))
	}
	h := &pcapHandle{lib: w, p: p}
	if err := h.configure(o); err != nil {
		_ = h.close() // the first error counts
		return nil, err
	}
	return h, nil
}

// find is the driver's name for an interface.
func (w *wpcap) find(ifname string) (string, error) {
	devices, err := w.devices()
	if err != nil {
		return "", err
	}
	loopback := false
	if list, err := iface.List(); err == nil { // else it is not known, and no error
		if i, found := (iface.Selector{Name: ifname}).First(list); found {
			ifname, loopback = list[i].Name, list[i].Flags.Has(iface.Loopback)
		}
	}
	return chooseDevice(ifname, loopback, devices)
}

// configure sets what has to be set before the handle is activated, and activates it. The snap length is the filter's: what a
// program in user space looks at may be beyond it.
func (h *pcapHandle) configure(o Options) error {
	w := h.lib
	promiscuous := uintptr(0)
	if o.Promiscuous {
		promiscuous = 1
	}
	for _, set := range []struct{ function, value uintptr }{
		{w.setSnaplen, MaxSnaplen}, {w.setPromisc, promiscuous},
		{w.setTimeout, uintptr(blockTimeout.Milliseconds())}, {w.setBufferSize, uintptr(o.RingBytes)},
	} {
		if r := int32(w.call(set.function, h.p, set.value)); r != 0 {
			return fmt.Errorf("set up capture handle: error %d", r)
		}
	}
	if r := int32(w.call(w.activate, h.p)); r < 0 { // above 0 are warnings
		return h.activation(r)
	}
	var problem [pcapErrBuf]byte
	if r := int32(w.call(w.setNonblock, h.p, 1, uintptr(unsafe.Pointer(&problem)))); r != 0 {
		return fmt.Errorf("pcap_setnonblock: %s", driverText(problem[:]))
	}
	link, err := deviceLinkType(int(int32(w.call(w.datalink, h.p))))
	if err != nil {
		return err
	}
	h.link = link
	if w.getEvent != 0 && int32(w.call(w.setMinToCopy, h.p, min(minToCopy, uintptr(o.RingBytes)/4))) == 0 {
		h.ready = w.call(w.getEvent, h.p)
	}
	return nil
}

// activation explains why a handle cannot be activated.
func (h *pcapHandle) activation(code int32) error {
	why := h.problem()
	switch code {
	case pcapErrorNoSuchDevice:
		return fmt.Errorf("%w: %s", ErrNoInterface, why)
	case pcapErrorPermission, pcapErrorPromisc:
		return fmt.Errorf("%w: the capture driver admits administrators only: run the service as LocalSystem (rpcapd service install --account LocalSystem), "+
			"or install Npcap without that restriction: %s", windows.ERROR_ACCESS_DENIED, why)
	case pcapErrorNotUp:
		return fmt.Errorf("interface is down: %s", why)
	}
	return fmt.Errorf("pcap_activate: error %d: %s", code, why)
}

func (h *pcapHandle) linkType() uint32                         { return h.link }
func (h *pcapHandle) start(program []bpf.RawInstruction) error { return h.replace(program) }
func (h *pcapHandle) attached() bool                           { return true }  // else a read fails
func (h *pcapHandle) detach() bool                             { return false } // the memory is the driver's

// divide: what runs here is run on frames that came before the filter. A program which only a kernel can run is left to
// the driver.
func (h *pcapHandle) divide(p filter.Program) ([]bpf.RawInstruction, judge, error) {
	vm, err := machineOf(p)
	if errors.Is(err, filter.ErrKernelOnly) && p.VM == nil {
		err = nil
	}
	return p.Kernel, judge{vm: vm, again: true, rest: p.VM, tags: !h.lib.version.hasEvents()}, err
}

func (h *pcapHandle) read(dst []udpstr.Frame, _ bool) (int, error) {
	r1, _, _ := syscall.SyscallN(h.lib.nextEx, h.p, uintptr(unsafe.Pointer(&h.header)), uintptr(unsafe.Pointer(&h.data)))
	switch r := int32(r1); {
	case r == 0:
		return 0, nil
	case r != 1:
		return 0, lostError{fmt.Errorf("pcap_next_ex: error %d: %s", r, h.problem())}
	}
	f, n, err := parsePcapHeader(h.header)
	if err != nil {
		return 0, lostError{fmt.Errorf("pcap_next_ex: %w", err)}
	}
	f.Data = unsafe.Slice(h.data, n)
	dst[0] = f
	return 1, nil
}

// replace: the instructions have the layout of struct bpf_insn.
func (h *pcapHandle) replace(program []bpf.RawInstruction) error {
	if len(program) == 0 {
		return errors.New("pcap_setfilter: no program")
	}
	bpfProgram := struct {
		len          uint32
		instructions *bpf.RawInstruction
	}{uint32(len(program)), &program[0]}
	r := int32(h.lib.call(h.lib.setFilter, h.p, uintptr(unsafe.Pointer(&bpfProgram))))
	runtime.KeepAlive(program)
	if r != 0 {
		return fmt.Errorf("attach filter of %d instructions: %w: %s", len(program), syscall.EINVAL, h.problem())
	}
	return nil
}

func (h *pcapHandle) drops() (deviceDrops, error) {
	var stat [8]uint32 // struct pcap_stat: received, dropped, dropped by the interface, and three more
	if r := int32(h.lib.call(h.lib.stats, h.p, uintptr(unsafe.Pointer(&stat)))); r != 0 {
		return deviceDrops{}, fmt.Errorf("pcap_stats: %s", h.problem())
	}
	return deviceDrops{ring: stat[1], iface: stat[2]}, nil
}

func (h *pcapHandle) close() error {
	h.lib.call(h.lib.closePcap, h.p)
	return nil
}

func (h *pcapHandle) problem() string {
	return printable.Text(cString(h.lib.call(h.lib.getErr, h.p)))
}

// devices are the names that the driver knows.
func (w *wpcap) devices() ([]string, error) {
	type pcapIf struct { // the head of struct pcap_if
		next *pcapIf
		name *byte
	}
	var first *pcapIf
	var problem [pcapErrBuf]byte
	if r := int32(w.call(w.findAllDevs, uintptr(unsafe.Pointer(&first)), uintptr(unsafe.Pointer(&problem)))); r != 0 {
		return nil, fmt.Errorf("pcap_findalldevs: %s", driverText(problem[:]))
	}
	if first == nil {
		return nil, nil
	}
	defer w.call(w.freeAllDevs, uintptr(unsafe.Pointer(first)))
	var names []string
	for d := first; d != nil; d = d.next {
		names = append(names, windows.BytePtrToString(d.name))
	}
	return names, nil
}

// call calls a function of the library; all of them return a number or a pointer.
//
//go:uintptrescapes
func (w *wpcap) call(function uintptr, arguments ...uintptr) uintptr {
	r, _, _ := syscall.SyscallN(function, arguments...)
	return r
}

// cString copies a text of the library.
func cString(p uintptr) string {
	return windows.BytePtrToString(*(**byte)(unsafe.Pointer(&p)))
}

// driverText is the text of an error buffer.
func driverText(b []byte) string { return printable.Text(windows.ByteSliceToString(b)) }
