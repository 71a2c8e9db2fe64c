package capture

import (
	"time"

	"golang.org/x/net/bpf"
)

// bpfSystem is what a source asks of its system. The kernel answers on macOS and the BSDs, a script in tests.
type bpfSystem interface {
	// open attaches a device to an interface; its frames are not filtered yet.
	open(ifname string, bufferBytes int, promiscuous bool) (bpfDevice, error)
	// up says whether an interface is up; ErrNoInterface if there is none.
	up(ifname string) (bool, error)
	// wait blocks until the device has something to read or say, a nudge comes, or the time is over (below 0: never). It may
	// return early. Without a device it waits for the others. A nudge ends this wait or the next one.
	wait(d bpfDevice, timeout time.Duration) (ready bool, err error)
	nudge()
	close() error
}

// bpfDevice is one open /dev/bpf with an interface. The kernel fills one buffer while the other waits to be read, and
// drops frames when both are full.
type bpfDevice interface {
	link() bpfLink
	size() int // of a buffer; a read takes a whole one
	// start sets the filter, forgets the frames before, and sets the counters to zero.
	start(p []bpf.RawInstruction) error
	// replace changes the filter between two frames and forgets none; errors.ErrUnsupported where the kernel cannot.
	replace(p []bpf.RawInstruction) error
	// waiting is how many bytes are there to read, at least.
	waiting() (int, error)
	// read takes what is there and does not wait; 0: nothing.
	read(b []byte) (int, error)
	// attached says whether the device still has an interface.
	attached() bool
	// drops is how many accepted frames found no room, modulo 2^32.
	drops() (uint32, error)
	close() error
}
