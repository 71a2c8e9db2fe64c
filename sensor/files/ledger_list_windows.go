package files

import (
	"errors"
	"os"
)

// guardSuffix makes the name of the file that is locked. On FAT, on network drives, and before Windows 10 nobody can replace or
// remove a file that is open, so the list is closed while that is done, and cannot be what is locked.
const guardSuffix = ".lock"

// listFile is the list, and what is locked.
type listFile struct {
	*os.File
	guard *os.File
}

// openList opens the list and locks the file beside it.
func (l *ledger) openList() (err error) {
	if l.file.guard, err = openLocked(l.root, l.name+guardSuffix); err != nil {
		return err
	}
	if l.file.File, err = l.root.OpenFile(l.name, os.O_RDWR|os.O_CREATE, fileMode); err != nil {
		return errors.Join(err, l.unlock())
	}
	return nil
}

// replaceList closes both lists, and opens what has the name then: the new one, or the old one where it cannot be replaced.
func (l *ledger) replaceList(f *os.File, name string) error {
	err := errors.Join(f.Close(), l.file.Close())
	if err == nil {
		err = l.root.Rename(name, l.name)
	}
	file, open := l.root.OpenFile(l.name, os.O_WRONLY|os.O_APPEND, fileMode)
	if open == nil {
		l.file.File = file
	}
	return errors.Join(err, open)
}

// closeList removes the list if it is of no use any more, and ends the lock.
func (l *ledger) closeList(remove bool) error {
	err := l.file.Close()
	if remove {
		err = errors.Join(err, l.remove(l.name))
	}
	return errors.Join(err, l.unlock())
}

// unlock removes the name before the lock ends: who has opened it before finds it locked, and who comes later makes another.
func (l *ledger) unlock() error {
	return errors.Join(l.remove(l.name+guardSuffix), l.file.guard.Close())
}

// lockList tells whether nobody uses a list.
func lockList(f *os.File) error {
	guard, err := os.Open(f.Name() + guardSuffix)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer guard.Close() // unlocks it
	return lock(guard)
}
