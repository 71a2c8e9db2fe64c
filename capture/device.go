package capture

import (
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/udpstr"
)

// device is one open capture handle of a system that hands over one frame at a time: a pcap_t of wpcap.dll, or raw
// sockets. deviceSource makes a Source of it and calls one method at a time.
type device interface {
	linkType() uint32
	// read returns the next frame that is there, without waiting; false: none is. The bytes belong to the device and are
	// valid until the next read. An error means that the handle is of no more use.
	read() (f udpstr.Frame, ok bool, err error)
	// setFilter has effect on what arrives from now on. What waits to be read may be lost with it. The error is EINVAL
	// if the device does not take the program.
	setFilter(program []bpf.RawInstruction) error
	// drops are the counters of the device, of 32 bits.
	drops() (deviceDrops, error)
	// event is the handle of a system event that says that much is there to be read, 0 if there is none.
	event() uintptr
	close()
}

// pause is how the reader of a device waits. It outlives the device.
type pause interface {
	// wait returns after the time, when the event is signaled, or when wake was called, be it before.
	wait(event uintptr, d time.Duration) error
	// wake ends a wait. Any goroutine may call it, also after close.
	wake()
	close()
}

// deviceTraits is how a kind of device differs from others.
type deviceTraits struct {
	filters   bool          // it runs whole filter programs, so that one which only a kernel can run is left to it
	tagsApart bool          // its filter does not see the outer VLAN tag in the bytes, as on Linux
	pace      time.Duration // the longest that frames wait to be read
	settle    time.Duration // how long frames that were accepted may take until they can be read
}

// deviceDrops are frames lost since the device was opened: for want of room, and by the interface.
type deviceDrops struct{ ring, iface uint32 }

// dropMeter makes sums of 64 bits of the counters of a device, which wrap. Some begin anew when a filter is set.
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
