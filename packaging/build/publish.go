package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checksums is the list of all files with their SHA-256, as sha256sum -c reads it.
const checksums = "SHA256SUMS"

// publish writes the checksums and moves everything to the folder that was asked for.
func publish(from, to string) (int, error) {
	entries, err := os.ReadDir(from) // sorted
	if err != nil {
		return 0, err
	}
	var b strings.Builder
	for _, e := range entries {
		if e.IsDir() { // the layout of an image, which has the sums in its names
			continue
		}
		sum, err := sumFile(filepath.Join(from, e.Name()))
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(&b, "%x  %s\n", sum, e.Name())
	}
	if err := clear(to); err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := moveLayout(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
				return 0, err
			}
			continue
		}
		if err := move(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return 0, err
		}
	}
	return len(entries), os.WriteFile(filepath.Join(to, checksums), []byte(b.String()), 0o644)
}

// clear makes the folder and removes what an earlier build has left, and nothing else:
// the folder may be one that somebody keeps other things in.
func clear(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list, err := os.ReadFile(filepath.Join(dir, checksums))
	if err != nil {
		return nil // no earlier build
	}
	for line := range strings.Lines(string(list)) {
		if _, name, found := strings.Cut(strings.TrimSpace(line), "  "); found && name == filepath.Base(name) {
			_ = os.Remove(filepath.Join(dir, name)) // somebody was quicker
		}
	}
	return nil
}

func sumFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// move copies where a rename does not reach, as from /tmp into the repository.
func move(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// moveLayout puts the layout of an image in the place of an earlier one, and of nothing else.
func moveLayout(from, to string) error {
	if _, err := os.Stat(filepath.Join(to, "oci-layout")); err == nil {
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
	if os.Rename(from, to) == nil {
		return nil
	}
	return os.CopyFS(to, os.DirFS(from))
}
