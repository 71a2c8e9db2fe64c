package files

import (
	"errors"
	"slices"
	"syscall"

	"golang.org/x/sys/windows"
)

func isOneOf(err error, list ...error) bool {
	return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
}

func isFull(err error) bool {
	return isOneOf(err, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL)
}

func isQuota(err error) bool {
	return isOneOf(err, windows.ERROR_DISK_QUOTA_EXCEEDED, windows.ERROR_NOT_ENOUGH_QUOTA)
}

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

func isBroken(err error) bool {
	return isOneOf(err, windows.ERROR_CRC, windows.ERROR_IO_DEVICE, windows.ERROR_NOT_READY, windows.ERROR_GEN_FAILURE)
}

// isTooLarge: FAT has files of at most 4 GiB.
func isTooLarge(err error) bool { return errors.Is(err, windows.ERROR_FILE_TOO_LARGE) }

// isClosedPipe: nobody reads any more what is written. EPIPE is what package io of a caller may say.
func isClosedPipe(err error) bool {
	return isOneOf(err, windows.ERROR_NO_DATA, windows.ERROR_BROKEN_PIPE, windows.ERROR_PIPE_NOT_CONNECTED, syscall.EPIPE)
}

func tooManyFiles(err error) bool { return errors.Is(err, windows.ERROR_TOO_MANY_OPEN_FILES) }

// isInUse: a file that another program has open can often not be written, renamed or deleted.
func isInUse(err error) bool {
	return isOneOf(err, windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION)
}

// diskLog is where the system says what is wrong with a disk.
const diskLog = "the event log"
