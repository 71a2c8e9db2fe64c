package main

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/sensor"
)

// load reads the file, if there is one, and lets flags that describe no rule win over it.
func (s *settings) load(log *zap.Logger) (loaded, error) {
	if s.file == "" {
		o, err := s.fromFlags()
		if err != nil {
			return loaded{}, usageError{err}
		}
		l := loaded{opts: o, output: s.output}
		if err := s.overrideHTTP(&l.config.HTTP); err != nil {
			return loaded{}, usageError{err}
		}
		return l, nil
	}
	for _, name := range ruleFlags {
		if s.flags.Changed(name) {
			return loaded{}, usageError{fmt.Errorf("%s describes a rule, and so does the file of -f; use one of them", s.given(name))}
		}
	}
	c, problems, err := loadFile(s.file)
	for _, p := range problems {
		if p.Warning {
			log.Warn(p.String())
		}
	}
	if err = errors.Join(err, problems.Err()); err != nil {
		return loaded{}, err
	}
	l := loaded{opts: sensor.FromConfig(c), config: c, output: c.Output.File}
	if err := s.override(&l); err != nil {
		return loaded{}, usageError{err}
	}
	return l, nil
}

// override lets flags win over the file.
func (s *settings) override(l *loaded) error {
	if s.flags.Changed("listen") {
		addr, port, err := parseListen(s.listen)
		if err != nil {
			return err
		}
		if port != 0 {
			return errors.New("--listen: the ports are in the file's rules; give the address alone")
		}
		l.opts.Listen, l.config.Listen = addr, addr
	}
	if s.flags.Changed("udp-port") {
		l.opts.Data.First, l.config.Data.First = s.udpPort, s.udpPort
	}
	if s.flags.Changed("udp-ports") {
		l.opts.Data.Count, l.config.Data.Count = s.udpPorts, s.udpPorts
	}
	if s.flags.Changed("write") {
		l.output, l.config.Output.File = s.output, s.output
	}
	return s.overrideHTTP(&l.config.HTTP)
}

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
