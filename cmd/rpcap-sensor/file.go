package main

import (
	"context"
	"errors"

	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/files"
)

// fileSinks opens the directory of each [file] section.
func fileSinks(ctx context.Context, o *outputs) (all []sensor.Sink, err error) {
	for _, c := range o.config.Files {
		k, kindErr := fileSink(ctx, o, c)
		if kindErr != nil {
			err = errors.Join(err, kindErr)
			continue
		}
		all = append(all, k)
	}
	return all, err
}

// fileSink checks the selection before it touches the disk.
func fileSink(ctx context.Context, o *outputs, c config.File) (sensor.Sink, error) {
	opts := files.FromConfig(c)
	opts.Log = o.log.Named("file")
	k, err := files.New(opts)
	if err != nil {
		return nil, err
	}
	selected, err := sensor.Select(ctx, sensor.SelectionFromConfig(c.Selection), k)
	if err != nil {
		return nil, o.refused(c.Title(), "Filter", err)
	}
	if err := k.Open(); err != nil {
		return selected, o.refused(c.Title(), "Path", err)
	}
	return selected, nil
}
