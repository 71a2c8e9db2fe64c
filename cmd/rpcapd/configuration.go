package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"rpcapd/cmd/internal/environment"
	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// defaultFile is read when neither -f nor -a is given.
func defaultFile() string { return filepath.Join(configurationDir(), "rpcapd.ini") }

// source returns the file to read, empty for none.
func (s *settings) source() (string, error) {
	switch {
	case s.file != "":
		return s.file, nil
	case len(s.line.Targets) > 0:
		return "", nil
	}
	_, err := os.Stat(s.defaultFile)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
	case s.environmentDials():
		return "", nil
	default:
		return "", usageError{fmt.Errorf("no sensor to connect to: there is no %s; write it, name another file with -f, or a sensor with -a HOST,PORT (in a container with RPCAPD_SENSOR=HOST in the environment)", s.defaultFile)}
	}
	return s.defaultFile, nil
}

// parse turns the content of the ini, if there is one, the environment and the command line into
// the configuration.
func (s *settings) parse(path string, data []byte) (config.Agent, config.Problems) {
	a, problems := s.line.Agent(), config.Problems(nil)
	if variables, err := s.variables(); err != nil {
		problems = config.Problems{{File: environment.Place(environmentPrefix + accountFileWord), Text: err.Error()}}
	} else if path != "" || len(variables) > 0 {
		a, problems = config.ParseAgentWith(cmp.Or(path, "environment"), data, variables)
		problems = append(problems, a.Unreachable(path, runtime.NumCPU())...)
		problems = append(problems, a.CheckInterface(cmp.Or(path, "environment"), s.line.Interface)...)
		problems = append(problems, a.ExpandName(cmp.Or(path, "environment"), os.Hostname, os.Getenv)...)
		if path == "" && len(s.line.Targets) > 0 {
			a.Targets = s.line.Targets
		}
		a = s.line.Apply(a)
	}
	if s.user != "" {
		a.User = s.user
	}
	return a, problems
}

// saveFile writes what the command line says, before any file is read (-s).
func (s *settings) saveFile() error {
	if s.save == "" {
		return nil
	}
	if err := inifile.Replace(s.save, s.line.Agent().Append(nil), agentGroup); err != nil {
		return fmt.Errorf("save ini: %w", err)
	}
	return nil
}
