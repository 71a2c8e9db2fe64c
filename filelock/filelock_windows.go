package filelock

import (
	"errors"
	"math"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// A lock of Windows keeps others from reading and writing the bytes too, so Exclusive takes one that no file has.
const beyondAnyFile = math.MaxInt64 - 1

// Holder has a lock itself for a moment, so one that is in the way is looked at again.
const (
	attempts = 5
	pause    = 2 * time.Millisecond
)

// Exclusive locks an open file, for as long as it is open. It returns ErrHeld if it is locked through another open file.
func Exclusive(f *os.File) error {
	return lock(f, Range{beyondAnyFile, 1}, windows.LOCKFILE_EXCLUSIVE_LOCK)
}

// Write locks a range for this open file alone. It returns ErrHeld if another has a lock there.
func Write(f *os.File, r Range) error { return lock(f, r, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// Read locks a range for this open file and for others that lock it by Read. It returns ErrHeld if another has a lock of
// Write there.
func Read(f *os.File, r Range) error { return lock(f, r, 0) }

// Holder tells whether another process has a lock of Write on a range. Windows does not say which one: pid is 0.
func Holder(f *os.File, r Range) (pid int, held bool, err error) {
	err = try(f, r, 0)
	if errors.Is(err, ErrHeld) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	low, high, at := r.region()
	return 0, false, os.NewSyscallError("UnlockFileEx", windows.UnlockFileEx(windows.Handle(f.Fd()), 0, low, high, at))
}

func lock(f *os.File, r Range, kind uint32) (err error) {
	for range attempts {
		if err = try(f, r, kind); !errors.Is(err, ErrHeld) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

func try(f *os.File, r Range, kind uint32) error {
	low, high, at := r.region()
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_FAIL_IMMEDIATELY|kind, 0, low, high, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrHeld
	}
	return os.NewSyscallError("LockFileEx", err)
}

// region is a range as LockFileEx takes it: the two halves of its length, and its start.
func (r Range) region() (low, high uint32, at *windows.Overlapped) {
	n := uint64(r.Length)
	if n == 0 {
		n = math.MaxInt64 - uint64(r.Start)
	}
	return uint32(n), uint32(n >> 32), &windows.Overlapped{Offset: uint32(r.Start), OffsetHigh: uint32(uint64(r.Start) >> 32)}
}
