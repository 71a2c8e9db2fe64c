package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rpcapd/openflag"
	"rpcapd/packaging/ini"
)

// iniFile reads the configuration again after the agent has given up root: the
// folder and the file were opened before, and serve where the path no longer does
// (an ini below a folder that only root may enter).
type iniFile struct {
	path string
	dir  *os.Root // nil when the folder could not be opened, or the path serves for ever
	file *os.File // likewise, and when there was no file
}

// iniLimit bounds what is read: config refuses larger files with a clear error.
const iniLimit = 1<<20 + 1

func openIniFile(path string) *iniFile {
	f := &iniFile{path: path}
	if changesUser {
		f.dir, _ = os.OpenRoot(filepath.Dir(path))
		f.file, _ = openNow(path)
	}
	return f
}

// read returns the content as it is now. It tries the path, then the folder that
// was opened as root, then the very file, if it still has a name: an editor that
// replaces the file leaves the old one without any.
func (f *iniFile) read() ([]byte, error) {
	file, err := openNow(f.path)
	if err == nil {
		return readIni(file)
	}
	if !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if f.dir != nil {
		if file, derr := f.dir.OpenFile(filepath.Base(f.path), os.O_RDONLY|openflag.NoWait, 0); derr == nil {
			return readIni(file)
		}
	}
	if f.file != nil && !unlinked(f.file) {
		return io.ReadAll(io.NewSectionReader(f.file, 0, iniLimit))
	}
	return nil, fmt.Errorf("%w: make it readable for the user that rpcapd runs as (chgrp rpcapd, chmod 0640), or restart", err)
}

// openNow does not wait for somebody to write, should the path have become a pipe: a
// reload that hangs would keep the agent from ending.
func openNow(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|openflag.NoWait, 0) }

// readIni reads a file and closes it. What is neither a file nor a device has no end, or no content.
func readIni(file *os.File) ([]byte, error) {
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		return nil, &fs.PathError{Op: "read", Path: file.Name(), Err: errors.New("it is a pipe; name a file")}
	} else if err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: file.Name(), Err: errors.New("it is a directory; name a file")}
	}
	return io.ReadAll(io.LimitReader(file, iniLimit))
}

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
