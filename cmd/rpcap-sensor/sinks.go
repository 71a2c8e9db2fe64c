package main

import (
	"context"
	"os"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/tap"
)

// outputs is what the sinks are made from.
type outputs struct {
	config config.Sensor // of the file; only its rules, ports and streams are meant without one
	stdout *os.File
	log    *zap.Logger

	pcapOverIP *pcapOverIPShared // nil: there was none yet
}

// notify tells systemd, if it has started this process.
func (o *outputs) notify(state string) {
	if err := systemd.Notify(state); err != nil {
		o.log.Debug("cannot notify systemd", zap.Error(err))
	}
}

// service is something that runs beside the sensor and looks at it.
type service func(ctx context.Context, sen *sensor.Sensor, o *outputs) (run func(context.Context) error, err error)

// services has one line for each. A service returns nil if nothing asks for it; its run works until ctx ends, and an
// error before that ends the program.
var services = []service{feedWatchdog, warnOfForgotten}

// openable is a sink that touches the machine when it is opened.
type openable interface {
	sink.Sink
	Open() error
}

// open checks the selection of an output before it touches the machine. option is the one that an error of Open is about.
func (o *outputs) open(ctx context.Context, title string, s config.Selection, k openable, option string) (sink.Sink, error) {
	selected, err := sink.Select(ctx, sensor.SelectionFromConfig(s), k)
	if err != nil {
		return nil, o.refused(title, "Filter", err)
	}
	if err := k.Open(); err != nil {
		_ = closeSink(selected) // the first error counts
		return nil, o.refused(title, option, err)
	}
	return selected, nil
}

// tapSink is the output of [tap].
func tapSink(ctx context.Context, o *outputs, c config.TAP) (sink.Sink, error) {
	k, err := tap.New(tap.Options{Interface: c.Interface, MTU: c.MTU, NoGuard: !c.Guard, Persist: c.Persist, Log: o.log.Named("tap")})
	if err != nil {
		return nil, err
	}
	return o.open(ctx, c.Title(), c.Selection, k, "Interface")
}
