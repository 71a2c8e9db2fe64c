package main

import (
	"errors"
	"strconv"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/files"
	"rpcapd/sensor/sink"
)

// Set implements pflag.Value.
func (m *megabytes) Set(text string) error {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "M"
	}
	return (*byteCount)(m).Set(text)
}

func (m *megabytes) String() string { return (*byteCount)(m).String() }

// Type implements pflag.Value.
func (m *megabytes) Type() string { return "size" }

// openOutput opens what -w or the file names, with -C or -G as a series of files.
func (s *settings) openOutput(name string, log *zap.Logger) (sink sink.Sink, closeOutput func() error, err error) {
	if !s.flags.Changed("rotate-size") && !s.flags.Changed("rotate-time") {
		if s.flags.Changed("keep") {
			return nil, nil, usageError{errors.New("-W goes with -C or -G, which say when another file begins")}
		}
		return openOutput(name, s.stdout, log)
	}
	switch {
	case name == "" || name == "-":
		return nil, nil, usageError{errors.New("-C and -G need -w FILE")}
	case s.keep < 0:
		return nil, nil, usageError{errors.New("-W: it is 1 or more")}
	}
	k, err := files.New(files.Options{
		Name: name, Path: name, RotateSize: int64(s.rotateSize), RotateTime: time.Duration(s.rotateTime), Keep: s.keep,
		SyncAtClose: true, Log: log.Named("file"),
	})
	if err != nil {
		return nil, nil, usageError{err}
	}
	if err := k.Open(); err != nil {
		return nil, nil, err
	}
	return k, k.Close, nil
}
