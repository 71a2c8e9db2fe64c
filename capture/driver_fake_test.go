package capture

import (
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// fakeDriverBytes is how much a handle of a fakeDriver holds.
const fakeDriverBytes = 64 << 10

// fakeDriver plays a driver of Windows with one interface: a filter that cuts in front of a queue of bounded size, both empty
// with each new program, and its counters too. A handle fails when the interface is removed.
type fakeDriver struct {
	mu     sync.Mutex
	exists bool
	handle *fakeHandle
}

type fakeHandle struct {
	d     *fakeDriver
	vm    *bpf.VM
	queue []udpstr.Frame
	held  int    // bytes in the queue
	buf   []byte // of the lease
	drop  uint32
	gone  bool
}

func (d *fakeDriver) open() (device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.exists {
		return nil, ErrNoInterface
	}
	d.handle = &fakeHandle{d: d}
	return d.handle, nil
}

func (d *fakeDriver) set(exists bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.exists = exists
	if !exists && d.handle != nil {
		d.handle.gone, d.handle = true, nil
	}
}

// arrive: each frame has a time stamp of its own.
func (d *fakeDriver) arrive(frames ...[]byte) {
	for _, f := range frames {
		d.mu.Lock()
		if h := d.handle; h != nil {
			h.take(f)
		}
		d.mu.Unlock()
		time.Sleep(time.Microsecond)
	}
}

func (h *fakeHandle) take(f []byte) {
	n := len(f)
	if h.vm != nil {
		kept, err := h.vm.Run(f)
		if err != nil || kept == 0 {
			return
		}
		n = min(n, kept)
	}
	if h.held+n > fakeDriverBytes {
		h.drop++
		return
	}
	now := time.Now()
	h.held += n
	h.queue = append(h.queue, udpstr.Frame{Data: slices.Clone(f[:n]), Len: uint32(len(f)), Sec: uint32(now.Unix()), Usec: uint32(now.Nanosecond() / 1000)})
}

func (h *fakeHandle) linkType() uint32                         { return LinkTypeEthernet }
func (h *fakeHandle) attached() bool                           { return true }
func (h *fakeHandle) detach() bool                             { return false }
func (h *fakeHandle) start(program []bpf.RawInstruction) error { return h.replace(program) }
func (h *fakeHandle) close() error                             { return nil }

func (h *fakeHandle) divide(p filter.Program) ([]bpf.RawInstruction, judge, error) {
	vm, err := machineOf(p)
	return p.Kernel, judge{vm: vm, again: true, rest: p.VM}, err
}

func (h *fakeHandle) replace(program []bpf.RawInstruction) (err error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.gone {
		return syscall.ENXIO
	}
	code, _ := bpf.Disassemble(program)
	h.vm, err = bpf.NewVM(code)
	h.queue, h.held, h.drop = nil, 0, 0
	return err
}

func (h *fakeHandle) read(dst []udpstr.Frame, _ bool) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	clear(h.buf) // the last lease ends here
	switch {
	case len(h.queue) > 0:
		f := h.queue[0]
		h.queue = h.queue[1:]
		h.held -= len(f.Data)
		h.buf = append(h.buf[:0], f.Data...)
		f.Data = h.buf
		dst[0] = f
		return 1, nil
	case h.gone:
		return 0, lostError{errors.New("pcap_next_ex: error -1: the adapter was removed")}
	}
	return 0, nil
}

func (h *fakeHandle) drops() (deviceDrops, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return deviceDrops{ring: h.drop}, nil
}
