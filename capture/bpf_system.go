package capture

import (
	"time"

	"golang.org/x/net/bpf"
)

// bpfSystem is what a source over /dev/bpf asks of its system. The kernel answers on macOS and the BSDs, a script in tests.
type bpfSystem interface {
	// open attaches a device to an interface; its frames are not filtered yet.
	open(ifname string, bufferBytes int, promiscuous bool) (bpfDevice, error)
	// up says whether an interface is up; ErrNoInterface if there is none.
	up(ifname string) (bool, error)
	// wait blocks until the device has something to read or say, wake was called, or the time is over. It may return
	// early. Without a device it waits for the others. A wake ends this wait or the next one.
	wait(d bpfDevice, timeout time.Duration) (ready bool, err error)
	wake()
	// grain is by how much a wait may be longer than asked for: two ticks of the system's clock.
	grain() time.Duration
	close() error
}

// bpfDevice is one open /dev/bpf with an interface. The kernel fills one buffer while the other waits to be read, and
// drops frames when both are full.
type bpfDevice interface {
	link() bpfLink
	size() int // of a buffer; a read takes a whole one
	// start, replace, attached, drops, close: see device. start also forgets the frames before.
	start(p []bpf.RawInstruction) error
	replace(p []bpf.RawInstruction) error
	attached() bool
	drops() (deviceDrops, error)
	close() error
	// waiting is how many bytes are there to read, at least.
	waiting() (int, error)
	// readBlock takes what is there and does not wait; 0: nothing.
	readBlock(b []byte) (int, error)
}
