//go:build !windows

package files

import (
	"errors"
	"syscall"
)

func isFull(err error) bool     { return errors.Is(err, syscall.ENOSPC) }
func isQuota(err error) bool    { return errors.Is(err, syscall.EDQUOT) }
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
func isBroken(err error) bool   { return errors.Is(err, syscall.EIO) }
func isTooLarge(err error) bool { return errors.Is(err, syscall.EFBIG) }

// isClosedPipe: nobody reads any more what is written.
func isClosedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// isInUse: an open file is in nobody's way.
func isInUse(error) bool { return false }

// diskLog is where the system says what is wrong with a disk.
const diskLog = "dmesg"
