package main

import (
	"context"

	"rpcapd/config"
	"rpcapd/savefile"
	"rpcapd/sensor"
	"rpcapd/sensor/pcapoverip"
	"rpcapd/tlsfiles"
)

// pcapOverIPSinks makes one sink for each section [pcap-over-ip].
func pcapOverIPSinks(ctx context.Context, o *outputs) (all []sensor.Sink, err error) {
	own, filters := &pcapoverip.Own{}, pcapoverip.NewFilters()
	for _, c := range o.config.PcapOverIP {
		opts := pcapOverIPOptions(c, o)
		opts.Own, opts.Filters = own, filters
		k, err := pcapoverip.New(opts)
		if err != nil {
			return all, o.cause(checkPcapOverIPFiles(o.config, c), c.Title(), pcapOverIPAddress(c), err)
		}
		selected, err := sensor.Select(ctx, sensor.SelectionFromConfig(c.Selection), k)
		if err != nil {
			_ = k.Close() // the first error counts
			return all, o.refused(c.Title(), "Filter", err)
		}
		all = append(all, selected)
	}
	return all, nil
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
