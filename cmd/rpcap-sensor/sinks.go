package main

import (
	"context"
	"fmt"
	"os"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/pcapoverip"
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

// refused puts the line of a key before an error about it, if the section is in a file.
func (o *outputs) refused(section, key string, err error) error {
	if p := o.config.Places.Problem(section, key, ""); p.Line > 0 {
		return fmt.Errorf("%s:%d: [%s] %s: %w", p.File, p.Line, section, key, err)
	}
	return err
}

func closeSink(k sink.Sink) error {
	if c, ok := k.(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}

// pcapOverIPShared is what all sinks of this kind have in common: their own connections, which none of them forwards, and the
// filters of clients.
type pcapOverIPShared struct {
	own     *pcapoverip.Own
	filters *pcapoverip.Filters
}
