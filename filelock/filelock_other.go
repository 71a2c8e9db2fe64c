//go:build !unix && !windows

package filelock

import (
	"errors"
	"os"
)

// Exclusive takes nothing: errors.ErrUnsupported.
func Exclusive(*os.File) error { return errors.ErrUnsupported }

// Write takes nothing: errors.ErrUnsupported.
func Write(*os.File, Range) error { return errors.ErrUnsupported }

// Read takes nothing: errors.ErrUnsupported.
func Read(*os.File, Range) error { return errors.ErrUnsupported }

// Holder cannot tell: errors.ErrUnsupported.
func Holder(*os.File, Range) (pid int, held bool, err error) { return 0, false, errors.ErrUnsupported }
