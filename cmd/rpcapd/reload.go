package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/numbers"
)

// load reads the configuration for the start: every problem is logged, and an error
// keeps the agent from starting.
func (s *settings) load(path string, log *zap.Logger) (*iniFile, config.Agent, error) {
	if path == "" {
		cfg, problems := s.parse("", nil)
		if n := logProblems(log, problems); n > 0 {
			return nil, config.Agent{}, fmt.Errorf("not started: %s in the environment", numbers.Things(n, "error"))
		}
		return nil, cfg, nil
	}
	ini := openIniFile(path)
	data, err := ini.read()
	if err != nil {
		return nil, config.Agent{}, fmt.Errorf("read configuration: %w", err)
	}
	cfg, problems := s.parse(path, data)
	if n := logProblems(log, append(problems, cfg.Exposed(path)...)); n > 0 {
		return nil, config.Agent{}, fmt.Errorf("not started: %s in %s", numbers.Things(n, "error"), path)
	}
	return ini, cfg, nil
}

// reload reads the configuration again. The error is why the old one stays; it has been logged. mayEmpty says whether
// the new one may have no sensor.
func (s *settings) reload(ini *iniFile, user string, mayEmpty func() bool, log *zap.Logger) (config.Agent, error) {
	if ini == nil {
		log.Warn("nothing to reload: the agent runs without an ini")
		return config.Agent{}, errors.New("the agent runs without an ini")
	}
	empty := mayEmpty() // a request is for this reload, whatever becomes of it
	data, err := ini.read()
	if err != nil {
		log.Error("configuration not reloaded, the old one stays", zap.Error(err))
		return config.Agent{}, fmt.Errorf("read configuration: %w", err)
	}
	cfg, problems := s.parse(ini.path, data)
	if n := logProblems(log, problems); n > 0 {
		log.Error("configuration has errors, the old one stays", zap.String("file", ini.path), zap.Int("errors", n))
		return config.Agent{}, problems.Err()
	}
	if !empty && !slices.ContainsFunc(cfg.Targets, func(t config.Target) bool { return t.Disabled == "" }) {
		err := fmt.Errorf("%s: no ActiveClient line is left, so all sessions would end; if that is meant: rpcapd reload --allow-empty", ini.path)
		log.Error("configuration would leave no session, the old one stays", zap.Error(err))
		return config.Agent{}, err
	}
	if cfg.User != user {
		log.Warn("User takes effect at the next start only", zap.String("user", cfg.User))
	}
	return cfg, nil
}

// logProblems returns the number of errors.
func logProblems(log *zap.Logger, problems config.Problems) int {
	errors := 0
	for _, p := range problems {
		if p.Warning {
			if !strings.HasPrefix(p.Text, "no ActiveClient line") { // the agent says so itself, once it runs
				log.Warn(p.String())
			}
			continue
		}
		errors++
		log.Error(p.String())
	}
	return errors
}

// selfPath is for a message.
func selfPath() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "rpcapd"
}
