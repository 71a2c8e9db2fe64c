package capture

import (
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
)

// fakeKernel plays the bpf devices of a kernel of the BSDs: two buffers for each device, a filter in front, one time stamp
// for all devices, counters that a new program sets to zero. Time is that of synctest.
type fakeKernel struct {
	layout   recordLayout
	dlt      bpfLink
	size     int
	inPlace  bool // has BIOCSETFNR
	promisc  bool
	tick     time.Duration // waits end with the second tick of this length; 0: they are exact
	openErr  error
	startErr error

	mu      sync.Mutex
	exists  bool
	isUp    bool
	devices map[*fakeBPF]bool
	changed chan struct{} // closed and made anew with each event
	nudged  bool
	closed  bool
	waits   int // of a device, without end or long
}

func newFakeKernel(name string) *fakeKernel {
	return &fakeKernel{
		layout: layouts[name], dlt: bpfLink{1, LinkTypeEthernet, 0}, size: 64 << 10,
		exists: true, isUp: true, devices: make(map[*fakeBPF]bool), changed: make(chan struct{}),
	}
}

// event wakes whoever waits. mu is held.
func (k *fakeKernel) event() {
	close(k.changed)
	k.changed = make(chan struct{})
}

func (k *fakeKernel) open(_ string, bytes int, promiscuous bool) (bpfDevice, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.openErr != nil {
		return nil, k.openErr
	}
	if !k.exists {
		return nil, syscall.ENXIO
	}
	k.promisc = promiscuous
	d := &fakeBPF{k: k, bytes: min(bytes, k.size), alive: true, dlt: k.dlt}
	k.devices[d] = true
	return d, nil
}

func (k *fakeKernel) up(string) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.exists {
		return false, ErrNoInterface
	}
	return k.isUp, nil
}

func (k *fakeKernel) wait(d bpfDevice, timeout time.Duration) (bool, error) {
	if k.tick > 0 && timeout > 0 {
		ticks := (timeout+k.tick-1)/k.tick + 1
		timeout = ticks*k.tick - time.Duration(time.Now().UnixNano())%k.tick
	}
	var timer <-chan time.Time
	if timeout >= 0 {
		timer = time.After(timeout)
	}
	for over := timeout == 0; ; {
		k.mu.Lock()
		if k.closed {
			k.mu.Unlock()
			return false, errors.New("wait on a closed system")
		}
		nudged, ready := k.nudged, false
		if f, ok := d.(*fakeBPF); ok {
			if f.shut {
				k.mu.Unlock()
				return false, errors.New("wait on a closed device")
			}
			ready = len(f.store)+len(f.hold) > 0 || !f.alive && f.tellsGone
			if timeout > devicePoll/2 && !over {
				k.waits++
			}
		}
		k.nudged = false
		changed := k.changed
		k.mu.Unlock()
		if ready || nudged || over {
			return ready, nil
		}
		select {
		case <-changed:
		case <-timer:
			over = true
		}
	}
}

func (k *fakeKernel) grain() time.Duration { return max(time.Millisecond, 2*k.tick) }

func (k *fakeKernel) wake() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nudged = true
	k.event()
}

func (k *fakeKernel) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return errors.New("closed twice")
	}
	k.closed = true
	return nil
}

// deliver gives a frame to all devices. It says how many took it.
func (k *fakeKernel) deliver(data []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now().UnixMicro()
	for d := range k.devices {
		d.take(now, data)
	}
	k.event()
}

// remove deletes the interface. tell: the kernel wakes who waits for its devices.
func (k *fakeKernel) remove(tell bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.exists = false
	for d := range k.devices {
		d.alive, d.tellsGone = false, tell
	}
	k.event()
}

func (k *fakeKernel) add() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.exists, k.isUp = true, true
}

func (k *fakeKernel) set(up bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isUp = up
}

// open devices and the system itself.
func (k *fakeKernel) leftovers() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.devices)
	if !k.closed {
		n++
	}
	return n
}

type fakeBPF struct {
	k           *fakeKernel
	bytes       int
	dlt         bpfLink
	vm          *bpf.VM
	store, hold []byte
	dropped     uint32
	alive       bool // has its interface
	tellsGone   bool
	shut        bool
}

// take is catchpacket. mu of the kernel is held.
func (d *fakeBPF) take(micros int64, data []byte) {
	if !d.alive {
		return
	}
	keep := len(data)
	if d.vm != nil {
		n, err := d.vm.Run(data)
		if err != nil || n == 0 {
			return
		}
		keep = min(n, keep)
	}
	r := record{micros: micros, length: uint32(len(data)), data: data[:keep]}
	next := appendRecord(d.store, d.k.layout, r)
	if len(next) > d.bytes {
		if d.hold != nil {
			d.dropped++
			return
		}
		d.hold, d.store = d.store, nil
		next = appendRecord(nil, d.k.layout, r)
	}
	d.store = next
}

func (d *fakeBPF) link() bpfLink { return d.dlt }
func (d *fakeBPF) size() int     { return d.bytes }

func (d *fakeBPF) start(p []bpf.RawInstruction) error {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.k.startErr != nil {
		return d.k.startErr
	}
	d.store, d.hold, d.dropped = nil, nil, 0
	return d.program(p)
}

func (d *fakeBPF) program(p []bpf.RawInstruction) (err error) {
	code, _ := bpf.Disassemble(p)
	d.vm, err = bpf.NewVM(code)
	return err
}

func (d *fakeBPF) replace(p []bpf.RawInstruction) error {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if !d.k.inPlace {
		return errors.ErrUnsupported
	}
	return d.program(p)
}

func (d *fakeBPF) waiting() (int, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	return len(d.store) + len(d.hold), nil
}

func (d *fakeBPF) readBlock(b []byte) (int, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.shut {
		return 0, errors.New("read of a closed device")
	}
	if len(b) != d.bytes {
		return 0, syscall.EINVAL
	}
	if d.hold == nil {
		d.hold, d.store = d.store, nil
	}
	n := copy(b, d.hold)
	d.hold = nil
	if n == 0 && !d.alive {
		return 0, syscall.ENXIO
	}
	return n, nil
}

func (d *fakeBPF) attached() bool {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	return d.alive
}

func (d *fakeBPF) drops() (deviceDrops, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	return deviceDrops{ring: d.dropped}, nil
}

func (d *fakeBPF) close() error {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.shut {
		return errors.New("closed twice")
	}
	d.shut = true
	delete(d.k.devices, d)
	return nil
}

// openFakeBPF opens a source over the fake, which is left without anything open when the test ends.
func openFakeBPF(t *testing.T, k *fakeKernel, o Options) *deviceSource {
	t.Helper()
	o.Interface = "em0"
	s, err := newBPFSource(k, k.layout, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if n := k.leftovers(); n != 0 {
			t.Errorf("%d devices or systems left open", n)
		}
	})
	return s
}
