package main

import (
	"context"
	"errors"

	"rpcapd/cmd/internal/build"
	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/health"
)

// healthPage shows the sensor's health over HTTP while [http] or --http asks for it.
type healthPage struct {
	sen    *sensor.Sensor
	failed func(error)        // called when it ends by itself
	says   config.HTTP        // the section in force
	end    context.CancelFunc // ends it and waits for that; nil: there is none
}

// begin shows what a section asks for, if it does.
func (p *healthPage) begin(o *outputs) error {
	run, err := serveHTTP(p.sen, o)
	if err != nil {
		return err
	}
	p.says, p.end = o.config.HTTP, nil
	if run == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			p.failed(err)
		}
	}()
	p.end = func() {
		cancel()
		<-done
	}
	return nil
}

// close ends it.
func (p *healthPage) close() {
	if p.end != nil {
		p.end()
		p.end = nil
	}
}

// reload puts another section in force; changed is false if it says the same. On an error it goes on as it was, if it can.
func (p *healthPage) reload(was, is *outputs) (changed bool, err error) {
	if sameSection(p.says, is.config.HTTP) {
		return false, nil
	}
	old := *p
	if err = p.begin(is); err == nil {
		old.close()
		return true, nil
	}
	if old.says.Listen.Port() != is.config.HTTP.Listen.Port() || !old.says.Enabled {
		return false, err // the old one was not in the way
	}
	p.close()
	if err = p.begin(is); err == nil {
		return true, nil
	}
	before := *was
	before.config.HTTP = old.says
	return false, errors.Join(err, p.begin(&before))
}

// serveHTTP listens if the section asks for it.
func serveHTTP(sen *sensor.Sensor, o *outputs) (func(context.Context) error, error) {
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
