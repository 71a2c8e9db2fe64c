package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rpcapd/packaging/ini"
)

// readIniOrTemplate reads the file, or what a new one begins with.
func readIniOrTemplate(path string) ([]byte, error) {
	f, err := openNow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ini.Agent, nil
	}
	if err != nil {
		return nil, err
	}
	return readIni(f)
}

// tryReplace tells whether a file could be written beside the ini, as replaceIni does.
func tryReplace(path string) error {
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

// replaceIni writes the file anew under its name, so that a reader sees the old or the new content whole. Owner and mode
// stay; a new file is for root and the agent's group alone. A symbolic link stays one,
// and is refused where others could have made it.
func replaceIni(path string, content []byte) error {
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
	err = likeOld(f, path)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return os.Rename(f.Name(), path)
}
