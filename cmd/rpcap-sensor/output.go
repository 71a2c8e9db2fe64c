package main

import (
	"errors"
	"fmt"
	"os"

	"go.uber.org/zap"

	"rpcapd/sensor"
	"rpcapd/sensor/files"
)

// openOutput opens what -w or the file names; an empty name counts frames only.
func openOutput(name string, stdout *os.File, log *zap.Logger) (sink sensor.Sink, closeOutput func() error, err error) {
	nothing := func() error { return nil }
	switch name {
	case "":
		return nil, nothing, nil
	case "-":
		if isTerminal(stdout) {
			return nil, nil, errors.New("write to standard output: it is a terminal; use -w - only with a pipe, as in rpcap-sensor -w - | tcpdump -r -")
		}
		return files.NewStream("standard output", stdout, true, log.Named("file")), nothing, nil
	}
	f, err := files.OpenOneFile(name)
	if err != nil {
		return nil, nil, err
	}
	return files.NewStream(name, f, false, log.Named("file")), func() error {
		if err := f.Close(); err != nil {
			return fmt.Errorf("close output: %w", err)
		}
		return nil
	}, nil
}
