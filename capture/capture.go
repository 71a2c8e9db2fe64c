package capture

import (
	"errors"
	"net"
	"time"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// Link types as they go over the wire (DLT numbers). In capture files raw IP is
// 101; OpenFile translates it.
const (
	LinkTypeEthernet = 1
	LinkTypeRaw      = 12
)

// MaxSnaplen is the longest part of a frame that is ever captured, in bytes. A
// snap length of 0 or above means this one.
const MaxSnaplen = udpstr.MaxCaplen

var (
	// ErrNoInterface means that no interface has that name.
	ErrNoInterface = errors.New("no such interface")
	// ErrInterfaceGone means that the interface was deleted and did not come back in time.
	ErrInterfaceGone = errors.New("interface gone")
	// ErrLinkType means that the frames of this interface or file have a link type that
	// cannot be captured.
	ErrLinkType = errors.New("unsupported link type")
)

// Options says what to capture and how. The zero value of each field but
// Interface and Filter means the default.
type Options struct {
	Interface   string
	Snaplen     uint32        // bytes of a frame; 0 or above MaxSnaplen: MaxSnaplen
	Promiscuous bool          // ask the device for frames to other stations
	RingBytes   int           // default 16 MiB; raised to what holds two blocks
	BlockBytes  int           // default by RingBytes (at most 2 MiB); raised to what holds one frame
	Retire      time.Duration // an unfilled block is handed over after this; default 12 ms

	// Filter is attached before the first frame. Without kernel instructions every
	// frame is accepted (file) or the open fails (ring).
	Filter filter.Program
	// Fanout, when set, makes this source one member of a group that shares the
	// frames of the interface, flow by flow. All members must be opened with the same
	// *Fanout.
	Fanout *Fanout
	// OnEvent, when set, is called from within Next when the interface changes.
	OnEvent func(Event)
}

// Source is one running capture. One goroutine calls Next and Release; any goroutine
// may call all other methods at any time, also after Close.
type Source interface {
	// LinkType is the link type of all frames, as a DLT number.
	LinkType() uint32

	// Next leases the next frames: those of one ring block, or a part of a large
	// one. VLAN tags are in place, the user-space filter has been applied, no frame
	// is longer than the snap length. The slice and the bytes it points to are valid
	// until the next call of Release or Next; the caller may overwrite both. Next never
	// returns an empty slice without an error.
	//
	// Next waits until the deadline. The zero time means no deadline. With a deadline
	// in the past, Next returns what is ready and does not wait; on a ring that takes
	// no system call.
	//
	// Errors: os.ErrDeadlineExceeded (call again), io.EOF (end of the file, or all
	// drained) and net.ErrClosed come as they are, so compare with ==. All others are
	// final: a *net.OpError of an interface, a *FileError of a file.
	Next(deadline time.Time) ([]udpstr.Frame, error)
	// Release gives the block back to the kernel once its last part has been leased.
	// Without a lease it does nothing.
	Release()

	// SetFilter replaces the filter for all frames from now on. No frame is lost that
	// both programs accept, none appears that neither accepts. On error the old one
	// stays. A source that drains takes it without effect.
	SetFilter(p filter.Program) error
	// Stats are the sums since Open; after Close those at Close.
	Stats() (Stats, error)
	// Drain ends the capture in order: when it returns no further frame is accepted.
	// Next goes on to deliver what was accepted before, then returns io.EOF, at the
	// latest limit after Drain was called. Drain does not wait for that. It may take
	// some tens of milliseconds itself (one RCU grace period of the kernel).
	Drain(limit time.Duration) error
	// Close ends a Next that waits, which returns net.ErrClosed, and frees the ring and
	// leaves promiscuous mode. Frames that are leased stay valid: then the ring is freed
	// with their Release. Closing again does nothing.
	Close() error
}

// Stats are 64-bit sums. Received = RingDrops + Delivered + Refused + what is
// still in the ring; see the package comment.
type Stats struct {
	Received   uint64 // frames that the kernel's filter accepted, ring drops included
	RingDrops  uint64 // of these: lost because no block of the ring was free
	Delivered  uint64 // frames returned by Next
	Bytes      uint64 // of these, after the snap length
	Refused    uint64 // frames refused in user space: by Filter.VM, or loopback copies that an old kernel (< 4.20) cannot leave out
	RingFreeze uint64 // how often the ring was found full (tp_freeze_q_cnt)
	// InterfaceDrops is what the device missed since Open: rx_missed_errors +
	// rx_fifo_errors, the counters that libpcap reports as ps_ifdrop. It covers the
	// whole device, whatever the filter.
	InterfaceDrops uint64
}

// opError is how an operation on an interface fails.
func opError(op, ifname string, err error) error {
	return &net.OpError{Op: op, Net: "packet", Addr: interfaceAddr(ifname), Err: err}
}

// interfaceAddr is the name of an interface as an address.
type interfaceAddr string

func (interfaceAddr) Network() string  { return "packet" }
func (a interfaceAddr) String() string { return string(a) }
