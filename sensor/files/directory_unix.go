//go:build unix

package files

import (
	"errors"
	"os"
	"syscall"
)

// syncDirectory makes the names in a directory durable.
func syncDirectory(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	if err = d.Sync(); errors.Is(err, syscall.EINVAL) { // a file system that has none
		err = nil
	}
	return errors.Join(err, d.Close())
}
