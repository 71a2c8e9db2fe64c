package main

import (
	"context"

	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/tap"
)

// tapSink checks the selection before it touches the machine.
func tapSink(ctx context.Context, o *outputs, c config.TAP) (sink.Sink, error) {
	k, err := tap.New(tap.Options{Interface: c.Interface, MTU: c.MTU, NoGuard: !c.Guard, Persist: c.Persist, Log: o.log.Named("tap")})
	if err != nil {
		return nil, err
	}
	selected, err := sink.Select(ctx, sensor.SelectionFromConfig(c.Selection), k)
	if err != nil {
		return nil, o.refused(c.Title(), "Filter", err)
	}
	if err := k.Open(); err != nil {
		_ = closeSink(selected) // the first error counts
		return nil, o.refused(c.Title(), "Interface", err)
	}
	return selected, nil
}
