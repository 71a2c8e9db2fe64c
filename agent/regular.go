package agent

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

const lockName = "rpcapd.lock"

// regular refuses what is no file.
func regular(f *os.File) error {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: f.Name(), Err: errors.New("it is not a regular file")}
	}
	return err
}

// statusLimit bounds what is read of a status file, in bytes: a session takes about two thousand.
const statusLimit = 64 << 20

// readRegular reads a file of a run directory.
func readRegular(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	return io.ReadAll(io.LimitReader(f, statusLimit))
}

// openRegular opens a file for reading, and nothing that would wait or lead elsewhere.
func openRegular(path string) (*os.File, error) {
	f, err := openShared(path)
	if err != nil {
		return nil, err
	}
	if err := regular(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
