package main

import (
	"context"
	"fmt"

	"rpcapd/cmd/internal/build"
	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/health"
)

// overrideHTTP lets --http win over the address in the file; the rest of [http] stays as it is there.
func (s *settings) overrideHTTP(h *config.HTTP) error {
	if s.http == "" {
		return nil
	}
	listen, err := config.ParseHTTPListen(s.http)
	if err != nil {
		return fmt.Errorf("--http %w", err)
	}
	h.Enabled, h.Listen = true, listen
	return nil
}

// serveHTTP shows the sensor's health over HTTP if [http] or --http asks for it.
func serveHTTP(_ context.Context, sen *sensor.Sensor, o *outputs) (func(context.Context) error, error) {
	h := o.config.HTTP
	if !h.Enabled {
		return nil, nil
	}
	opts := health.Options{
		Source: sen, Listen: h.Listen, Certificate: h.Certificate, Key: h.Key, Names: h.Names,
		Version: build.Version(version), Log: o.log,
	}
	if len(h.Accounts) > 0 {
		opts.Authenticate = config.Agent{Accounts: h.Accounts}.Authenticate
	}
	server, err := health.New(opts)
	if err != nil {
		return nil, o.cause(checkHTTPFiles(o.config), "http", "Listen", err)
	}
	return server.Run, nil
}
