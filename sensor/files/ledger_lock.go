package files

import (
	"errors"
	"os"

	"rpcapd/filelock"
)

// lock makes a file this process's own until it is closed, on file systems that have locks. errLocked: it is another's.
func lock(f *os.File) error {
	switch err := filelock.Exclusive(f); {
	case errors.Is(err, filelock.ErrHeld):
		return errLocked
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	default:
		return err
	}
}

// openLocked opens or makes a file and locks it.
func openLocked(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
