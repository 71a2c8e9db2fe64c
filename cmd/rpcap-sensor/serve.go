package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"go.uber.org/zap"

	"rpcapd/sensor"
)

// serve runs the sensor until a signal, or until nobody reads its output any more.
func serve(s *settings) error {
	log, err := newLogger(s.logFormat, s.logLevel, s.stderr)
	if err != nil {
		return usageError{err}
	}
	opts, output, err := s.options(log)
	if err != nil {
		return err
	}
	sink, closeOutput, err := openOutput(output, s.stdout, log)
	if err != nil {
		return err
	}
	if sink != nil {
		opts.Sinks = []sensor.Sink{sink}
	}
	opts.Log = log
	sen, err := sensor.New(opts)
	if err != nil {
		return errors.Join(err, closeOutput())
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	ignoreBrokenPipe()

	var reporter sync.WaitGroup
	reportCtx, stopReports := context.WithCancel(context.Background())
	reporter.Go(func() { reportOnSignal(reportCtx, sen, s.stderr, log) })
	err = sen.Run(ctx)
	stopReports()
	reporter.Wait()
	if werr := sen.WriteSummary(s.stderr); werr != nil {
		log.Debug("summary not written", zap.Error(werr))
	}
	return errors.Join(err, closeOutput())
}

// reportOnSignal prints the summary at each signal that asks for it.
func reportOnSignal(ctx context.Context, sen *sensor.Sensor, w *os.File, log *zap.Logger) {
	if len(reportSignals) == 0 {
		return
	}
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, reportSignals...)
	defer signal.Stop(ch)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ch:
			if err := sen.WriteSummary(w); err != nil {
				log.Debug("summary not written", zap.Error(err))
			}
		}
	}
}

// openOutput opens what -w or the file names; an empty name counts frames only.
func openOutput(name string, stdout *os.File, log *zap.Logger) (sink sensor.Sink, closeOutput func() error, err error) {
	nothing := func() error { return nil }
	switch name {
	case "":
		log.Warn("no output; frames are only counted (-w FILE writes them, -w - to standard output)")
		return nil, nothing, nil
	case "-":
		if isTerminal(stdout) {
			return nil, nil, errors.New("write to standard output: it is a terminal; use -w - only with a pipe, as in rpcap-sensor -w - | tcpdump -r -")
		}
		return sensor.NewPcapng("standard output", stdout, true), nothing, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("open output: %w", err)
	}
	return sensor.NewPcapng(name, f, false), func() error {
		if err := f.Close(); err != nil {
			return fmt.Errorf("close output: %w", err)
		}
		return nil
	}, nil
}
