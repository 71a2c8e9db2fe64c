package main

import (
	"errors"
	"fmt"
	"os"

	"rpcapd/sensor"
)

// openOutput opens what -w or the file names; an empty name counts frames only.
func openOutput(name string, stdout *os.File) (sink sensor.Sink, closeOutput func() error, err error) {
	nothing := func() error { return nil }
	switch name {
	case "":
		return nil, nothing, nil
	case "-":
		if isTerminal(stdout) {
			return nil, nil, errors.New("write to standard output: it is a terminal; use -w - only with a pipe, as in rpcap-sensor -w - | tcpdump -r -")
		}
		return sensor.NewPcapng("standard output", stdout, true), nothing, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("open output: %w", err)
	}
	return sensor.NewPcapng(name, &outputFile{File: f}, false), func() error {
		if err := f.Close(); err != nil {
			return fmt.Errorf("close output: %w", err)
		}
		return nil
	}, nil
}

// outputFile empties a file with the first write, so that a sensor that cannot start leaves an old one as it was.
type outputFile struct {
	*os.File
	begun bool
}

// Write implements io.Writer for one goroutine.
func (o *outputFile) Write(p []byte) (int, error) {
	if !o.begun {
		o.begun = true
		if info, err := o.Stat(); err == nil && info.Mode().IsRegular() {
			if err := o.Truncate(0); err != nil {
				return 0, err
			}
		}
	}
	return o.File.Write(p)
}
