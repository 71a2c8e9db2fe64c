package main

import (
	"context"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/files"
	"rpcapd/sensor/sink"
)

// warnOfForgotten says at the start which files nobody deletes. It may take two seconds for each section.
func warnOfForgotten(_ context.Context, _ *sensor.Sensor, o *outputs) (func(context.Context) error, error) {
	if len(o.config.Files) == 0 {
		return nil, nil
	}
	return func(context.Context) error {
		for _, w := range files.Forgotten(o.config.Files) {
			o.log.Warn("files that are never deleted", zap.String("output", w.Section), zap.String("reason", w.Text))
		}
		return nil
	}, nil
}

// fileSink is the output of a [file NAME].
func fileSink(ctx context.Context, o *outputs, c config.File) (sink.Sink, error) {
	opts := files.FromConfig(c)
	opts.Log = o.log.Named("file")
	k, err := files.New(opts)
	if err != nil {
		return nil, err
	}
	return o.open(ctx, c.Title(), c.Selection, k, "Path")
}
