package capture

import (
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// device is one open capture handle of a system: a pcap_t of wpcap.dll, raw sockets, or a /dev/bpf. deviceSource makes a
// Source of it and calls one method at a time.
type device interface {
	linkType() uint32
	// divide says which program the device is to run for a filter, and what is left to do here.
	divide(p filter.Program) ([]bpf.RawInstruction, judge, error)
	// start gives a new device its program. The error is EINVAL if the device does not take it.
	start(program []bpf.RawInstruction) error
	// replace gives it another one. What waits to be read may be lost with it. errors.ErrUnsupported: more than that
	// would be lost, so a second device has to take the place of this one.
	replace(program []bpf.RawInstruction) error
	// read fills dst with frames, without waiting, and says with how many; 0: none are there, or others are worth waiting
	// for. hurry: do not wait for others. The bytes belong to the device and are valid until the next read. Errors are
	// final; with a lostError the interface may come back.
	read(dst []udpstr.Frame, hurry bool) (int, error)
	// detach leaves the bytes of the last read to whoever has them, and reads go elsewhere; false: it cannot.
	detach() bool
	// attached says whether the device still has its interface.
	attached() bool
	// drops are the counters of the device.
	drops() (deviceDrops, error)
	close() error
}

// deviceSystem is where devices come from, and where their reader waits. It outlives them.
type deviceSystem interface {
	open() (device, error)
	// up says whether the interface is up; the error is ErrNoInterface if there is none.
	up() (bool, error)
	// wait returns when there are frames worth a read, when wake was called, be it before, and after the time at the
	// latest. It may return early. Without a device (nil) it waits for the others.
	wait(d device, limit time.Duration) error
	// wake ends a wait. Any goroutine may call it, also after close.
	wake()
	close() error
}

// deviceTraits is how a kind of device differs from others.
type deviceTraits struct {
	frames  int           // the most that a read gives
	settle  time.Duration // how long a frame that was accepted may take until it can be read
	retry   time.Duration // how often a device that was lost is tried
	stamped bool          // all devices have the same time stamp for a frame, by the clock of time.Now
}

// lostError is why a device is of no more use, while another one of the same interface may be.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// deviceDrops are frames lost since the device was opened, modulo 2^32: for want of room, and by the interface.
type deviceDrops struct{ ring, iface uint32 }

// dropMeter makes sums of 64 bits of the counters of a device. Some begin anew when a filter is set.
type dropMeter struct {
	last        deviceDrops
	ring, iface uint64
}

// add takes a reading.
func (m *dropMeter) add(now deviceDrops) {
	m.ring += uint64(now.ring - m.last.ring)
	m.iface += uint64(now.iface - m.last.iface)
	m.last = now
}

// addAfterReset takes the first reading after what may have set the counters to zero: a smaller one began from there.
func (m *dropMeter) addAfterReset(now deviceDrops) {
	if now.ring < m.last.ring {
		m.last.ring = 0
	}
	if now.iface < m.last.iface {
		m.last.iface = 0
	}
	m.add(now)
}

// restart is called for a new device, whose counters begin at zero.
func (m *dropMeter) restart() { m.last = deviceDrops{} }
