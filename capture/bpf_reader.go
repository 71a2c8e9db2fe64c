package capture

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

const (
	// bpfFrames is how many frames of a read are presented at a time (see leaseFrames).
	bpfFrames = 2048
	// gatherStep is how often the fill of the kernel's buffers is looked at while frames gather in them. At 1 Gbit/s
	// that is 500 KB, and the largest buffer that FreeBSD gives by default is 512 KB, twice.
	gatherStep = 4 * time.Millisecond
	// bpfLate is by how much a frame may come later than Options.Retire. With the agent's 18 ms it is there within 20.
	bpfLate = 2 * time.Millisecond
	// bpfSettle is many times what a frame needs from its time stamp to the buffer.
	bpfSettle = 10 * time.Millisecond
	// bpfRetry is how often a deleted interface is looked for.
	bpfRetry = 250 * time.Millisecond
)

// bpfCapture is the deviceSystem of one source over /dev/bpf.
type bpfCapture struct {
	bpfSystem
	options Options
	layout  recordLayout
}

// newBPFSource attaches a first device. It frees the system if it fails.
func newBPFSource(sys bpfSystem, layout recordLayout, o Options) (*deviceSource, error) {
	o = o.withDefaults()
	traits := deviceTraits{frames: bpfFrames, settle: bpfSettle, retry: bpfRetry, stamped: true}
	return newDeviceSource(o, traits, &bpfCapture{sys, o, layout})
}

func (c *bpfCapture) open() (device, error) {
	o := &c.options
	d, err := c.bpfSystem.open(o.Interface, o.RingBytes/2, o.Promiscuous) // the kernel has two
	if err != nil {
		return nil, err
	}
	return &bpfReader{bpfDevice: d, capture: c, walk: recordWalker{layout: c.layout}}, nil
}

func (c *bpfCapture) up() (bool, error) { return c.bpfSystem.up(c.options.Interface) }

// wait is short while frames gather in the device.
func (c *bpfCapture) wait(d device, limit time.Duration) error {
	r, _ := d.(*bpfReader)
	var on bpfDevice
	switch {
	case r == nil:
	case r.since.IsZero():
		on = r.bpfDevice
	default:
		limit = max(0, min(limit, gatherStep, time.Until(r.since.Add(c.options.Retire))))
	}
	_, err := c.bpfSystem.wait(on, limit)
	return err
}

// bpfReader is a device over a /dev/bpf. A frame is noticed at once (BIOCIMMEDIATE); it waits for Options.Retire for
// others that can be read with it, less long when the kernel's buffer is half full.
type bpfReader struct {
	bpfDevice
	capture *bpfCapture
	walk    recordWalker
	buffer  []byte
	last    time.Time // when the kernel was last read, and the bytes per second since the time before
	rate    float64
	since   time.Time // when frames were first seen waiting, zero: none are; belongs to who waits
}

func (r *bpfReader) linkType() uint32 { return r.link().linkType }

func (r *bpfReader) divide(p filter.Program) ([]bpf.RawInstruction, judge, error) {
	return divideBPF(p, r.link().strip)
}

func (r *bpfReader) read(dst []udpstr.Frame, hurry bool) (int, error) {
	if r.walk.done() {
		if !hurry && !r.gathered(time.Now()) {
			return 0, nil
		}
		if err := r.load(); err != nil {
			return 0, err
		}
	}
	n, err := r.walk.fill(dst)
	if err != nil {
		return 0, fmt.Errorf("capture device: %w at byte %d of %d", err, r.walk.at, len(r.walk.data))
	}
	return n, nil
}

// load begins the walk over what the kernel has. It recognizes a device whose interface was deleted: ENXIO on FreeBSD,
// DragonFly, NetBSD and macOS, EIO on OpenBSD and for some drivers of macOS. An interface that was only set down
// (ENETDOWN) is noticed when it is looked at.
func (r *bpfReader) load() error {
	if len(r.buffer) != r.size() {
		r.buffer = make([]byte, r.size())
	}
	n, err := r.readBlock(r.buffer)
	switch {
	case errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENODEV):
		return lostError{err}
	case errors.Is(err, syscall.ENETDOWN):
		n = 0
	case err != nil:
		return err
	}
	now := time.Now()
	r.rate, r.last = float64(n)/max(now.Sub(r.last), time.Microsecond).Seconds(), now
	r.walk.begin(r.buffer[:n])
	return nil
}

// gathered says whether the device should be read now: frames have waited for long enough, or would wait for too long if
// the next wait takes as long as it may, or a buffer is half full.
func (r *bpfReader) gathered(now time.Time) bool {
	ready, err := r.capture.bpfSystem.wait(r.bpfDevice, 0)
	if err != nil || !ready {
		r.since = time.Time{}
		return false
	}
	if r.since.IsZero() {
		r.since = now
	}
	n, err := r.waiting()
	waited, retire, grain := now.Sub(r.since), r.capture.options.Retire, r.capture.grain()
	if err == nil && n < r.size()/2 && waited < retire && waited+grain <= retire+bpfLate && !r.fills(grain) {
		return false
	}
	r.since = time.Time{} // the read tells the error
	return true
}

// fills says whether a buffer will be half full after the next wait, on a system whose waits are long.
func (r *bpfReader) fills(grain time.Duration) bool {
	return grain > gatherStep && r.rate*grain.Seconds() > float64(r.size()/2)
}

func (r *bpfReader) detach() bool {
	r.buffer = nil
	return true
}
