package main

import (
	"context"
	"errors"

	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/tap"
)

// tapSinks opens the interface of each [tap] section.
func tapSinks(ctx context.Context, o *outputs) (all []sensor.Sink, err error) {
	for _, c := range o.config.TAP {
		k, kindErr := tapSink(ctx, o, c)
		if kindErr != nil {
			err = errors.Join(err, kindErr)
			continue
		}
		all = append(all, k)
	}
	return all, err
}

// tapSink checks the selection before it touches the machine.
func tapSink(ctx context.Context, o *outputs, c config.TAP) (sensor.Sink, error) {
	k, err := tap.New(tap.Options{Interface: c.Interface, MTU: c.MTU, NoGuard: !c.Guard, Persist: c.Persist, Log: o.log.Named("tap")})
	if err != nil {
		return nil, err
	}
	selected, err := sensor.Select(ctx, sensor.SelectionFromConfig(c.Selection), k)
	if err != nil {
		return nil, o.refused(c.Title(), "Filter", err)
	}
	if err := k.Open(); err != nil {
		return selected, o.refused(c.Title(), "Interface", err)
	}
	return selected, nil
}
