package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// takeIn copies the packages that are not in the repository yet, and returns their number.
func (r *repository) takeIn() (int, error) {
	n, found := 0, 0
	for _, kind := range []struct {
		pattern string
		take    func(path string) (bool, error)
	}{{"*.deb", r.takeDeb}, {"*.rpm", r.takeRPM}} {
		list, err := filepath.Glob(filepath.Join(r.packages, kind.pattern))
		if err != nil {
			return 0, err
		}
		found += len(list)
		for _, path := range list {
			taken, err := kind.take(path)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", path, err)
			}
			if taken {
				n++
			}
		}
	}
	if found == 0 && !exists(r.path("apt", "dists")) && !exists(r.path("rpm", "repodata")) {
		return 0, fmt.Errorf("%s has no deb or rpm package, nor has %s; run make package first", r.packages, r.out)
	}
	return n, nil
}

func (r *repository) takeDeb(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	d, err := parseDeb(data)
	if err != nil {
		return false, err
	}
	to := r.path("apt", "pool", d.name, filepath.Base(path))
	if old, err := os.ReadFile(to); err == nil {
		if !bytes.Equal(old, data) {
			return false, errChanged(to)
		}
		return false, nil
	}
	return true, replace(to, data)
}

func (r *repository) takeRPM(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	p, err := parseRPM(data)
	if err != nil {
		return false, err
	}
	to := r.path("rpm", "packages", filepath.Base(path))
	old, err := os.ReadFile(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, r.signRPM(p, to)
	case err != nil:
		return false, err
	}
	q, err := parseRPM(old)
	if err != nil {
		return false, fmt.Errorf("%s: %w", to, err)
	}
	if !bytes.Equal(p.signed(), q.signed()) {
		return false, errChanged(to)
	}
	return false, nil
}

// errChanged says that a version would no longer be what it was: hosts that have it would never get the other one.
func errChanged(path string) error {
	return fmt.Errorf("%s is there with other content; a published version does not change, so give the new one another version", path)
}

// replace writes a file that no reader sees half written. A file that has this content stays untouched, with its time, so
// that rsync and buckets copy only what is new.
func replace(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sweep removes the files of a folder that are not to stay. The index files of the time before stay one more time, for those
// who have read the old list and not yet what it names.
func sweep(dir string, stay map[string]bool) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !stay[e.Name()] && !e.IsDir() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
