package main

import (
	"context"
	"errors"
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
