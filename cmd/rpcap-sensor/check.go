package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"rpcapd/config"
	"rpcapd/sensor"
)

// checkOutputs finds what would keep the outputs of a file from starting and that nothing needs to be opened for: filters
// that tcpdump refuses, certificates that cannot be read.
func checkOutputs(ctx context.Context, c config.Sensor) error {
	var errs []error
	filter := func(title string, s config.Selection) {
		if _, err := sensor.SelectionFromConfig(s).Compile(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", title, err))
		}
	}
	certificate := func(title, certificate, key string) {
		if certificate == "" {
			return
		}
		if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
			errs = append(errs, fmt.Errorf("%s: read certificate %s and key %s: %w", title, certificate, key, err))
		}
	}
	for _, f := range c.Files {
		filter(sectionTitle("file", f.Name), f.Selection)
	}
	for _, t := range c.TAP {
		filter("[tap] "+t.Interface, t.Selection)
	}
	for _, o := range c.PcapOverIP {
		filter(sectionTitle("pcap-over-ip", o.Name), o.Selection)
		certificate(sectionTitle("pcap-over-ip", o.Name), o.Certificate, o.Key)
	}
	certificate("[http]", c.HTTP.Certificate, c.HTTP.Key)
	return errors.Join(errs...)
}

func sectionTitle(kind, name string) string {
	return "[" + strings.TrimSpace(kind+" "+name) + "]"
}
