package capture

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waiter blocks the reader until its socket has something or it is nudged. It waits
// through the poller of the Go runtime: a goroutine that blocks in a system call of
// its own instead costs the runtime a monitor thread that wakes up, hands the
// processor to another thread and back, and signals; at 100 blocks a second that
// was a tenth of all CPU time of forwarding small frames.
type waiter struct {
	file *os.File // the ring's socket; owns the descriptor
	conn syscall.RawConn
	fd   int

	look     func(uintptr) bool // made once, so that waiting allocates nothing
	looked   bool
	events   int16 // what the socket says; set by look
	deadline time.Time
	nudges   *nudge
	ready    func() bool // whether the next block is the reader's; far cheaper than poll
}

// nudge is how other goroutines end a wait. It outlives the ring: a source keeps one
// when its interface comes back.
type nudge struct {
	look   atomic.Bool // something has changed
	waiter atomic.Pointer[waiter]
}

// newWaiter takes the descriptor over.
func newWaiter(fd int) (*waiter, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("make packet socket non-blocking: %w", os.NewSyscallError("fcntl", err))
	}
	w := &waiter{file: os.NewFile(uintptr(fd), "packet"), fd: fd}
	w.look = w.check
	var err error
	if w.conn, err = w.file.SyscallConn(); err != nil {
		return nil, fmt.Errorf("wait for packet socket: %w", err)
	}
	return w, nil
}

func (w *waiter) close() error { return w.file.Close() }

// longTime stands for no deadline, so that one is always set and can be moved.
const longTime = 24 * time.Hour

// wait blocks until the socket reports something, a nudge, or the time is over
// (below 0: never). It may return early. events are those of poll(2) that need
// attention; a block that became ready in the meantime is not among them.
func (w *waiter) wait(now time.Time, timeout time.Duration) (events int16, err error) {
	if timeout < 0 {
		timeout = longTime
	}
	until := now.Add(timeout)
	// Moving a timer costs more than a wake-up too many now and then: a deadline that
	// is somewhat early stays.
	if w.deadline.After(until) || w.deadline.Before(now.Add(timeout/2)) {
		w.deadline = until
		if err := w.file.SetReadDeadline(until); err != nil {
			return 0, err
		}
	}
	w.looked, w.events = false, 0
	err = w.conn.Read(w.look)
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.deadline = time.Time{} // passed, or moved by a nudge
	default:
		return 0, err
	}
	return w.events, nil
}

// check is called once before the goroutine sleeps, when nothing can be missed any
// more, and once when it has been woken. The poller tells of a change only once, and may
// have done so while the last block was read. That the interface is down is looked for
// here, too: the goroutine may sleep until somebody nudges it.
func (w *waiter) check(uintptr) bool {
	if w.ready() {
		return true
	}
	w.events = w.poll()
	if w.looked {
		return true
	}
	w.looked = true
	return w.events&^unix.POLLIN != 0 || w.nudges != nil && w.nudges.look.Swap(false)
}

// poll asks the socket without waiting.
func (w *waiter) poll() int16 {
	p := unix.PollFd{Fd: int32(w.fd), Events: unix.POLLIN}
	zero := unix.Timespec{}
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&zero)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return p.Revents
}

// nudge makes a wait that is going on, or else the next one, return.
func (n *nudge) nudge() {
	n.look.Store(true)
	if w := n.waiter.Load(); w != nil {
		_ = w.file.SetReadDeadline(time.Unix(1, 0)) // fails after close, when nobody waits
	}
}
