//go:build !windows

package files

import (
	"errors"
	"syscall"
)

func isFull(err error) bool  { return errors.Is(err, syscall.ENOSPC) }
func isQuota(err error) bool { return errors.Is(err, syscall.EDQUOT) }
