//go:build !windows

package files

import (
	"errors"
	"os"
)

// listFile is the list, which is locked.
type listFile struct{ *os.File }

// openList opens the list and locks it.
func (l *ledger) openList() (err error) {
	l.file.File, err = openLocked(l.root, l.name)
	return err
}

// replaceList puts a new list in the place of the one in use. It is locked before anybody can find it.
func (l *ledger) replaceList(f *os.File, name string) error {
	if err := lock(f); err != nil {
		return err
	}
	if err := l.root.Rename(name, l.name); err != nil {
		return err
	}
	_ = l.file.Close() // it is replaced
	l.file.File = f
	return nil
}

// closeList ends the lock, and removes the list before if it is of no use any more.
func (l *ledger) closeList(remove bool) (err error) {
	if remove {
		err = l.remove(l.name)
	}
	return errors.Join(err, l.file.Close())
}

// lockList locks a list that is not to be changed, for as long as the file is open.
func lockList(f *os.File) error { return lock(f) }
