package main

import (
	"context"
	"errors"
	"os"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
	"rpcapd/sensor"
)

// outputs is what the sinks are made from.
type outputs struct {
	config config.Sensor // of the file; only its rules, ports and streams are meant without one
	stdout *os.File
	log    *zap.Logger
}

// notify tells systemd, if it has started this process.
func (o *outputs) notify(state string) {
	if err := systemd.Notify(state); err != nil {
		o.log.Debug("systemd was not told", zap.Error(err))
	}
}

// sinkKind makes the sinks of one kind of section, none if there is no such section. It opens what must be there at the
// start, so that a mistake is found then; what it opened is closed by the sink's Run or by the sink's Close method.
type sinkKind func(ctx context.Context, o *outputs) ([]sensor.Sink, error)

// sinkKinds has one line for each kind of output.
var sinkKinds = []sinkKind{fileSinks, tapSinks, pcapOverIPSinks}

// service is something that runs beside the sensor and looks at it, such as the pages of [http].
type service func(ctx context.Context, sen *sensor.Sensor, o *outputs) (run func(context.Context) error, err error)

// services has one line for each. A service returns nil if nothing asks for it; its run works until ctx ends, and an
// error before that ends the program.
var services = []service{serveHTTP, feedWatchdog, warnOfForgotten}

// makeSinks makes all sinks but the one of -w. On an error none stays open.
func makeSinks(ctx context.Context, o *outputs) (all []sensor.Sink, err error) {
	for _, kind := range sinkKinds {
		list, kindErr := kind(ctx, o)
		all = append(all, list...)
		err = errors.Join(err, kindErr)
	}
	if err != nil {
		return nil, errors.Join(err, closeSinks(all))
	}
	return all, nil
}

// closeSinks closes those that hold something open outside of Run.
func closeSinks(all []sensor.Sink) error {
	var errs []error
	for _, k := range all {
		if c, ok := k.(interface{ Close() error }); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
