package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/filewatch"
	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
	"rpcapd/sensor"
)

// reloadOnSignal reads the file anew at each SIGHUP, or change of it, and puts its rules, aliases and outputs in force. A file with any error
// changes nothing. It works until ctx ends.
func (j *job) reloadOnSignal(ctx context.Context, sen *sensor.Sensor) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.reloads:
			j.out.notify(systemd.Reloading())
			j.reload(ctx, sen)
			j.out.notify("READY=1")
		}
	}
}

// reload is one SIGHUP. Rules and outputs are looked at before anything changes.
func (j *job) reload(ctx context.Context, sen *sensor.Sensor) {
	log := j.out.log
	l, err := j.load()
	if err == nil {
		err = checkSections(ctx, j.changedOutputs(l.config)).Err()
	}
	if err == nil {
		err = placed(l.config.Places, sen.Reload(ctx, l.opts.Rules, l.opts.Aliases))
	}
	if err != nil {
		log.Error("the file was not reloaded; the old rules stay in force", zap.Error(err))
		return
	}
	sen.SetStreams(l.opts.Limits, l.opts.Dedup)
	done, err := j.reloadOutputs(ctx, sen, l.config)
	log.Info("rules reloaded", zap.Int("rules", len(l.opts.Rules)), zap.Strings("outputs", done))
	if err != nil {
		log.Error("some outputs could not be opened; the former ones continue where possible", zap.Error(err))
	}
	if late := j.needRestart(l); len(late) > 0 {
		log.Warn("these sections of the file have changed and take effect at the next restart", zap.Strings("sections", late))
	}
}

// reloadOutputs puts the sections of outputs and [http] in force.
func (j *job) reloadOutputs(ctx context.Context, sen *sensor.Sensor, c config.Sensor) (done []string, err error) {
	was := j.inForce
	if was == nil {
		was = &j.out
	}
	is := *was
	is.config = c
	change := change{sen: sen, was: was, is: &is, log: j.out.log}
	j.running = change.apply(ctx, j.running)
	switch changed, err := j.page.reload(was, &is); {
	case err != nil:
		change.errs = append(change.errs, err)
	case changed:
		change.say("http", "changed")
	}
	j.inForce = &is
	return change.done, errors.Join(change.errs...)
}

// changedOutputs is a file with those outputs alone that a reload would open.
func (j *job) changedOutputs(c config.Sensor) config.Sensor {
	same := func(title string, says any) bool {
		return slices.ContainsFunc(j.running, func(r running) bool { return r.title == title && sameSection(r.says, says) })
	}
	c.Files = slices.DeleteFunc(slices.Clone(c.Files), func(f config.File) bool { return same(f.Title(), f) })
	c.TAP = slices.DeleteFunc(slices.Clone(c.TAP), func(t config.TAP) bool { return same(t.Title(), t) })
	c.PcapOverIP = slices.DeleteFunc(slices.Clone(c.PcapOverIP), func(p config.PcapOverIP) bool { return same(p.Title(), p) })
	if sameSection(j.page.says, c.HTTP) {
		c.HTTP = config.HTTP{}
	}
	return c
}

// needRestart names the sections of the file, as they are written there, that differ from those the sensor has started
// with and that a reload does not put in force.
func (j *job) needRestart(l loaded) (late []string) {
	was, is := j.out.config, l.config
	if was.Listen != is.Listen {
		late = append(late, "Listen")
	}
	if !sameSection(was.Data, is.Data) {
		late = append(late, "[data]")
	}
	if !sameSection(was.Output, is.Output) {
		late = append(late, "[output]")
	}
	return late
}

// notifyReload returns a channel with what asks for a reload, and what ends that: signals, and changes of the file where no
// signal is sent.
func notifyReload(file string) (<-chan os.Signal, func()) {
	ch := make(chan os.Signal, 1)
	signalled := len(reloadSignals) > 0
	if signalled {
		signal.Notify(ch, reloadSignals...)
	}
	end := func() {}
	if !signalled || filewatch.Mounted(file) {
		end = filewatch.Watch(file, func() {
			select {
			case ch <- nil:
			default: // one that was asked for before reads what is there now
			}
		})
	}
	return ch, func() {
		signal.Stop(ch)
		end()
	}
}

// job is one run of the sensor with everything beside it.
type job struct {
	opts   sensor.Options // Purpose and Sinks may be set; those of the file are added
	out    outputs
	report *os.File // where summaries go; nil for nowhere

	reloads <-chan os.Signal       // nil: there is nothing to reload
	load    func() (loaded, error) // reads the file anew

	running []running  // the outputs of the file that are at work
	page    healthPage // of [http]
	inForce *outputs   // what they were made from; nil: out

	beside []service                  // more services of this run alone
	final  func(*sensor.Sensor) error // the summary at the end; nil: WriteSummary to report
}
