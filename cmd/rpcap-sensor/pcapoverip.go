package main

import (
	"context"

	"rpcapd/config"
	"rpcapd/savefile"
	"rpcapd/sensor"
	"rpcapd/sensor/pcapoverip"
	"rpcapd/sensor/sink"
	"rpcapd/tlsfiles"
)

// pcapOverIPSink listens, if it is not to dial out.
func pcapOverIPSink(ctx context.Context, o *outputs, c config.PcapOverIP) (sink.Sink, error) {
	if o.pcapOverIP == nil {
		o.pcapOverIP = &pcapOverIPShared{&pcapoverip.Own{}, pcapoverip.NewFilters()}
	}
	opts := pcapOverIPOptions(c, o)
	opts.Own, opts.Filters = o.pcapOverIP.own, o.pcapOverIP.filters
	k, err := pcapoverip.New(opts)
	if err != nil {
		return nil, o.cause(checkPcapOverIPFiles(o.config, c), c.Title(), pcapOverIPAddress(c), err)
	}
	selected, err := sink.Select(ctx, sensor.SelectionFromConfig(c.Selection), k)
	if err != nil {
		_ = k.Close() // the first error counts
		return nil, o.refused(c.Title(), "Filter", err)
	}
	return selected, nil
}

func pcapOverIPOptions(c config.PcapOverIP, o *outputs) pcapoverip.Options {
	opts := pcapoverip.Options{
		Name: c.Title(), Clients: c.Clients, AllowClients: c.AllowClients, Buffer: c.Buffer, Stalled: c.Stalled, Log: o.log,
	}
	if c.TLS {
		opts.TLS = &tlsfiles.Files{Certificate: c.Certificate, Key: c.Key, ClientCA: c.ClientCA, CA: c.CA, ServerName: c.ServerName}
	}
	if opts.Connect = c.Connect; c.Connect == "" {
		opts.Listen = c.Listen
	}
	if c.Classic {
		opts.Format = savefile.Pcap
	}
	if c.LinkType >= 0 {
		n := uint32(c.LinkType)
		opts.LinkType = &n
	}
	return opts
}

// pcapOverIPAddress is the key that has the address.
func pcapOverIPAddress(c config.PcapOverIP) string {
	if c.Connect != "" {
		return "Connect"
	}
	return "Listen"
}
