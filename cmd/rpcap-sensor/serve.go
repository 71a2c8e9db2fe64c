package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"sync"

	"go.uber.org/zap"

	"rpcapd/sensor"
	"rpcapd/sensor/sink"
)

// serve runs the sensor until a signal, or until nobody reads its output any more.
func serve(s *settings) error {
	log, err := newLogger(&s.logs, s.stderr)
	if err != nil {
		return usageError{err}
	}
	for _, message := range s.envStrange {
		log.Warn(message)
	}
	l, err := s.load(log)
	if err != nil {
		return err
	}
	j := job{opts: l.opts, out: outputs{config: l.config, stdout: s.stdout, log: log}, report: s.stderr}
	stopping := stopSignals
	if s.file == "" {
		stopping = slices.Concat(stopSignals, reloadSignals)
	} else {
		// From here on: whoever asks for a reload before the sensor is ready gets one then.
		reloads, end := notifyReload(s.file)
		defer end()
		j.reloads, j.load = reloads, func() (loaded, error) { return s.load(log) }
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopping...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	ignoreBrokenPipe()

	out, closeOutput, err := s.openOutput(l.output, log)
	if err != nil {
		return err
	}
	if out != nil {
		if out, err = sink.Select(ctx, sink.Selection{MaxFrame: l.config.Output.MaxFrame}, out); err != nil {
			return errors.Join(err, closeOutput())
		}
	}
	switch {
	case out == nil:
	case l.output == "-":
		j.opts.Purpose = out
	default:
		j.opts.Sinks = append(j.opts.Sinks, out)
	}
	return errors.Join(j.run(ctx), closeOutput())
}

// run works until ctx ends, until the purpose has ended, or until a service fails.
func (j *job) run(ctx context.Context) (err error) {
	log := j.out.log
	if j.running, err = openOutputs(ctx, &j.out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOutputs(j.running)) }()
	for _, r := range j.running {
		j.opts.Sinks = append(j.opts.Sinks, r.sink)
	}
	j.opts.Log = log
	if len(j.opts.Sinks) == 0 && j.opts.Purpose == nil {
		log.Warn("no output; frames are only counted (-w FILE writes them, -w - to standard output)")
	}
	sen, err := sensor.New(j.opts)
	if err != nil {
		return placed(j.out.config.Places, err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beside, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	j.page = healthPage{sen: sen, failed: func(err error) { stop(serviceError{err}) }}
	if err := j.page.begin(&j.out); err != nil {
		return err
	}
	defer func() { j.page.close() }()
	if err := j.startServices(beside, sen, stop, &wg); err != nil {
		return err
	}
	if j.report != nil && len(reportSignals) > 0 {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, reportSignals...) // before agents can come: by default the signal ends the process
		defer signal.Stop(asked)
		wg.Go(func() { reportOnSignal(beside, asked, sen, j.report, log) })
	}
	wg.Go(func() {
		select {
		case <-sen.Ready():
			j.out.notify("READY=1")
			j.reloadOnSignal(beside, sen)
		case <-beside.Done():
		}
	})
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-beside.Done():
		}
		if ctx.Err() != nil {
			j.out.notify("STOPPING=1")
		}
	})
	err = sen.Run(ctx)
	if p := j.opts.Purpose; p != nil {
		if _, _, gone := written(sen, p.Name()); gone {
			log.Info("the reader of the output is gone, so the sensor has ended", zap.String("output", p.Name()))
		}
	}
	cancel()
	wg.Wait()
	j.page.close()
	if failed := (serviceError{}); errors.As(context.Cause(ctx), &failed) {
		err = errors.Join(err, failed.error)
	}
	if j.report != nil && started(sen) {
		final := j.final
		if final == nil {
			final = func(sen *sensor.Sensor) error { return sen.WriteSummary(j.report) }
		}
		if werr := final(sen); werr != nil {
			log.Debug("summary not written", zap.Error(werr))
		}
	}
	return err
}

// started reports whether agents could ever connect. If not there is nothing to sum up, and only the error matters.
func started(sen *sensor.Sensor) bool {
	select {
	case <-sen.Ready():
		return true
	default:
		return false
	}
}

// serviceError is the cause of a stop that a service has brought about.
type serviceError struct{ error }

// startServices starts what is asked for; the first that fails stops the sensor.
func (j *job) startServices(ctx context.Context, sen *sensor.Sensor, stop context.CancelCauseFunc, wg *sync.WaitGroup) error {
	var runs []func(context.Context) error
	for _, s := range slices.Concat(services, j.beside) {
		run, err := s(ctx, sen, &j.out)
		if err != nil {
			return err
		}
		if run != nil {
			runs = append(runs, run)
		}
	}
	for _, run := range runs {
		wg.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				stop(serviceError{err})
			}
		})
	}
	return nil
}

// reportOnSignal prints the summary at each signal that asks for it.
func reportOnSignal(ctx context.Context, asked <-chan os.Signal, sen *sensor.Sensor, w *os.File, log *zap.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			if err := sen.WriteSummary(w); err != nil {
				log.Debug("summary not written", zap.Error(err))
			}
		}
	}
}
