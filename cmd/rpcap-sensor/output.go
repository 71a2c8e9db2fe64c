package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"rpcapd/sensor/files"
	"rpcapd/sensor/sink"
)

// openOutput opens what -w or the file names; an empty name counts frames only.
func openOutput(name string, stdout *os.File, log *zap.Logger) (sink sink.Sink, closeOutput func() error, err error) {
	nothing := func() error { return nil }
	switch name {
	case "":
		return nil, nothing, nil
	case "-":
		if isTerminal(stdout) {
			return nil, nil, errors.New("write to standard output: it is a terminal; use -w - only with a pipe, as in rpcap-sensor -w - | tcpdump -r -")
		}
		return files.NewSingle("standard output", stdout, true, log.Named("file")), nothing, nil
	}
	f, err := files.OpenOneFile(name)
	if err != nil {
		return nil, nil, outputCure(name, err)
	}
	return files.NewSingle(name, f, false, log.Named("file")), func() error {
		if err := f.Close(); err != nil {
			return fmt.Errorf("close output: %w", err)
		}
		return nil
	}, nil
}

// outputCure adds what helps to an error about a file that cannot be made.
func outputCure(name string, err error) error {
	dir := filepath.Dir(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; the user of this program cannot write there; use another directory", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; take a directory that can be written to", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; make the directory %s first (mkdir -p %s)", err, dir, dir)
	}
	return err
}
