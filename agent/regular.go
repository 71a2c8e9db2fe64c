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

// readRegular reads a file of a run directory.
func readRegular(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	return io.ReadAll(io.LimitReader(f, statusLimit))
}
