// Package inifile replaces the programs' ini files: whole or not at all, with the owner and mode of the file before, and
// never through a symbolic link that somebody else could have made.
package inifile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// TryReplace tells whether a file could be written beside the ini, as Replace does.
func TryReplace(path string) error {
	path, err := realPath(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	f.Close() // nothing was written
	return os.Remove(f.Name())
}

// Replace writes the file anew under its name, so that a reader sees the old or the new content whole. Owner and mode
// stay; a new file is for root and the group alone, if the host has it. A symbolic link stays one, and is refused where
// others could have made it.
func Replace(path string, content []byte, group string) error {
	path, err := realPath(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	err = likeOld(f, path, group)
	if err == nil {
		_, err = f.Write(content)
	}
	if err := finish(f, err); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Keep writes the content as it was beside the file, as FILE.old, or FILE.old.1 and so on if there is one: it never
// overwrites an earlier copy. Others than owner and group cannot read it, since it may hold passwords.
func Keep(path string, content []byte) (kept string, err error) {
	real, err := realPath(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	for n := range maxCopies {
		kept = real + ".old"
		if n > 0 {
			kept += "." + strconv.Itoa(n)
		}
		f, err := os.OpenFile(kept, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		err = likeOld(f, real, "")
		if err == nil {
			err = f.Chmod(info.Mode().Perm() &^ 0o007)
		}
		if err == nil {
			_, err = f.Write(content)
		}
		if err = finish(f, err); err != nil {
			os.Remove(kept) // half of a copy is none
			return "", err
		}
		return kept, nil
	}
	return "", fmt.Errorf("%s.old: there are %d copies of earlier files already; move them away", real, maxCopies)
}

// maxCopies bounds the search for a free name.
const maxCopies = 100

// finish brings a file to the disk and closes it. err is that of writing.
func finish(f *os.File, err error) error {
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}
