package capture

import (
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// wakeup ends a poll from another goroutine.
type wakeup struct {
	asked atomic.Bool // Wake was called and Next has not said so yet
	mu    sync.Mutex  // guards fd against use after close
	fd    int         // eventfd; -1 when closed
}

func (w *wakeup) open() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("make eventfd: %w", err)
	}
	w.fd = fd
	return nil
}

// wake makes Next return ErrWoken.
func (w *wakeup) wake() {
	if !w.asked.Swap(true) {
		w.nudge()
	}
}

// nudge makes a waiting Next look again at everything, without ErrWoken.
func (w *wakeup) nudge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		one := [8]byte{1, 1} // any number that is neither 0 nor 2^64-1, in any byte order
		unix.Write(w.fd, one[:])
	}
}

// take says whether wake was called, once for any number of calls.
func (w *wakeup) take() bool { return w.asked.Load() && w.asked.Swap(false) }

// clear empties the eventfd.
func (w *wakeup) clear() {
	var b [8]byte
	unix.Read(w.fd, b[:])
}

func (w *wakeup) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		unix.Close(w.fd)
		w.fd = -1
	}
}
