//go:build !unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// syncDirectory does nothing: names are durable with the file.
func syncDirectory(*os.Root, string) error { return nil }

func isNoDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
