package main

import (
	"context"
	"maps"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/sensor"
)

// reloadOnSignal reads the file anew at each SIGHUP and puts its rules and aliases in force. A file with any error
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

// reload is one SIGHUP.
func (j *job) reload(ctx context.Context, sen *sensor.Sensor) {
	log := j.out.log
	l, err := j.load()
	if err == nil {
		err = sen.Reload(ctx, l.opts.Rules, l.opts.Aliases)
	}
	if err != nil {
		log.Error("the file was not reloaded; the old rules stay in force", zap.Error(err))
		return
	}
	log.Info("rules reloaded", zap.Int("rules", len(l.opts.Rules)))
	if late := j.needRestart(l); len(late) > 0 {
		log.Warn("changes outside of the rules and aliases take effect at the next start", zap.Strings("changed", late))
	}
}

// needRestart names what has changed in the file since the start and is not put in force by a reload.
func (j *job) needRestart(l loaded) []string {
	changed := make(map[string]bool)
	was, is := reflect.ValueOf(j.out.config), reflect.ValueOf(l.config)
	for i := range was.NumField() {
		name := was.Type().Field(i).Name
		if name != "Rules" && name != "Aliases" && name != "Places" && !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			changed[strings.ToLower(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

// notifyReload returns a channel with the signals that ask for a reload, nil where there is none, and what ends that.
func notifyReload() (<-chan os.Signal, func()) {
	if len(reloadSignals) == 0 {
		return nil, func() {}
	}
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, reloadSignals...)
	return ch, func() { signal.Stop(ch) }
}
