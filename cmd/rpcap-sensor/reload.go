package main

import (
	"context"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
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
		err = placed(l.config.Places, sen.Reload(ctx, l.opts.Rules, l.opts.Aliases))
	}
	if err != nil {
		log.Error("the file was not reloaded; the old rules stay in force", zap.Error(err))
		return
	}
	log.Info("rules reloaded", zap.Int("rules", len(l.opts.Rules)))
	if late := j.needRestart(l); len(late) > 0 {
		log.Warn("only rules and aliases are reloaded; these sections of the file have changed, work as before and wait for a restart",
			zap.Strings("sections", late))
	}
}

// needRestart names the sections of the file, as they are written there, that differ from those the sensor has started
// with and that a reload does not put in force.
func (j *job) needRestart(l loaded) (late []string) {
	was, is := j.out.config, l.config
	if was.Listen != is.Listen {
		late = append(late, "Listen")
	}
	late = append(late, changedSections("data", []config.DataPorts{was.Data}, []config.DataPorts{is.Data}, unnamed)...)
	late = append(late, changedSections("streams", []config.Streams{was.Streams}, []config.Streams{is.Streams}, unnamed)...)
	late = append(late, changedSections("output", []config.Output{was.Output}, []config.Output{is.Output}, unnamed)...)
	late = append(late, changedSections("file", was.Files, is.Files, func(f config.File) string { return f.Name })...)
	late = append(late, changedSections("pcap-over-ip", was.PcapOverIP, is.PcapOverIP, func(o config.PcapOverIP) string { return o.Name })...)
	late = append(late, changedSections("tap", was.TAP, is.TAP, func(t config.TAP) string { return t.Interface })...)
	return append(late, changedSections("http", []config.HTTP{was.HTTP}, []config.HTTP{is.HTTP}, unnamed)...)
}

// sectionTitle is a section as it is written in the file.
func sectionTitle(kind, name string) string {
	if kind == "tap" { // what tells them apart is no name of the section
		return "[tap] " + name
	}
	return "[" + strings.TrimSpace(kind+" "+name) + "]"
}

// unnamed is the name of a section that a file has once at most.
func unnamed[T any](T) string { return "" }

// changedSections compares the sections of one kind by their names, wherever they stand in the file.
func changedSections[T any](kind string, was, is []T, name func(T) string) (changed []string) {
	find := func(list []T, n string) (T, bool) {
		i := slices.IndexFunc(list, func(v T) bool { return name(v) == n })
		if i < 0 {
			var none T
			return none, false
		}
		return list[i], true
	}
	for _, v := range was {
		title := sectionTitle(kind, name(v))
		if now, ok := find(is, name(v)); !ok {
			changed = append(changed, title+" (removed)")
		} else if !sameSection(v, now) {
			changed = append(changed, title)
		}
	}
	for _, v := range is {
		if _, ok := find(was, name(v)); !ok {
			changed = append(changed, sectionTitle(kind, name(v))+" (new)")
		}
	}
	return changed
}

// sameSection compares what two sections say; where they stand is in fields that are not exported.
func sameSection[T any](a, b T) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if x.Type().Field(i).IsExported() && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			return false
		}
	}
	return true
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
