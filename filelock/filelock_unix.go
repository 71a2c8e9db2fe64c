//go:build unix

package filelock

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Exclusive locks an open file. It returns ErrHeld if it is locked through another open file, and errors.ErrUnsupported
// where the file system has no locks, as some network file systems.
func Exclusive(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return ErrHeld
	case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOLCK):
		return errors.ErrUnsupported
	}
	return os.NewSyscallError("flock", err)
}

// Write locks a range for this process alone. It returns ErrHeld if another process has a lock there. The file is open
// for writing.
func Write(f *os.File, r Range) error { return set(f, r, unix.F_WRLCK) }

// Read locks a range for this process and for others that lock it by Read. It returns ErrHeld if another process has a
// lock of Write there. The file is open for reading, and may be a folder.
func Read(f *os.File, r Range) error { return set(f, r, unix.F_RDLCK) }

func set(f *os.File, r Range, kind int16) error {
	l := r.flock(kind)
	err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &l)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EAGAIN) { // fcntl(2): systems have either
		return ErrHeld
	}
	return os.NewSyscallError("fcntl", err)
}

// Holder is another process that has a lock of Write or Read on a range. Its number is 0 if it cannot be named from here,
// because it runs in another PID namespace or has locked an open file (F_OFD_SETLK).
func Holder(f *os.File, r Range) (pid int, held bool, err error) {
	l := r.flock(unix.F_WRLCK) // which any other lock is in the way of
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &l); err != nil {
		return 0, false, os.NewSyscallError("fcntl", err)
	}
	return max(0, int(l.Pid)), l.Type != unix.F_UNLCK, nil
}

func (r Range) flock(kind int16) unix.Flock_t {
	return unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: r.Start, Len: r.Length}
}
