package files

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// promptWriter writes what the kernel takes without waiting (RWF_NOWAIT), where the file system can tell. The scheduler need not
// hear of such a write: otherwise each wakes its monitor thread, which then looks every 20 µs as long as frames come, for a tenth
// of the processor time of a busy sensor.
type promptWriter struct {
	raw    syscall.RawConn // nil: not asked, or it cannot tell
	vector unix.Iovec
	write  func(fd uintptr) bool // made once, since a closure made each time would be an allocation
	n      int
	errno  unix.Errno
}

func (w *promptWriter) open(f syscall.Conn) {
	raw, err := f.SyscallConn()
	if err != nil {
		return // it is written as usual
	}
	w.raw = raw
	w.write = func(fd uintptr) bool {
		const current = ^uintptr(0) // offset -1: where the file is
		n, _, errno := unix.RawSyscall6(unix.SYS_PWRITEV2, fd, uintptr(unsafe.Pointer(&w.vector)), 1, current, current, unix.RWF_NOWAIT)
		w.n, w.errno = int(n), errno
		return true
	}
}

// prompt returns how many bytes of p were written; the caller writes the rest, and gets the error that there may be.
func (w *promptWriter) prompt(p []byte) int {
	if w.raw == nil || len(p) == 0 {
		return 0
	}
	w.vector.Base = &p[0]
	w.vector.SetLen(len(p))
	err := w.raw.Write(w.write)
	w.vector.Base = nil
	switch {
	case err != nil:
		return 0
	case w.errno == unix.EOPNOTSUPP, w.errno == unix.ENOSYS, w.errno == unix.EINVAL, w.errno == unix.EPERM:
		w.raw = nil
		return 0
	case w.errno != 0:
		return 0
	}
	return w.n
}
