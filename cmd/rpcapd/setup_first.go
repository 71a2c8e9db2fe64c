package main

import (
	"context"
	"errors"
	"fmt"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/packaging/ini"
)

// firstTime is for installers, which call it each time: it writes an ini only if there is none. Nobody may read what it
// prints, so a failure is in the log of the system, too.
func (s *setup) firstTime(ctx context.Context) error {
	err := s.seed(ctx)
	if err != nil {
		reportFailure(fmt.Sprintf("the installation failed: %v", err))
	}
	return err
}

// seed takes over the sensors of the C agent, if it is installed, and then puts in the one that the command line names.
// Without either the new ini is the template, in which no line is active.
func (s *setup) seed(ctx context.Context) error {
	s.noDial, s.noReload, s.replace = true, true, true
	named := len(s.sensors) > 0
	if named {
		targets, err := s.targets() // checked also when the ini stays: a mistake is never passed over
		if err != nil {
			return err
		}
		for _, t := range targets {
			if t.Address() != targets[0].Address() {
				return usageError{fmt.Errorf("--sensor %q: names several sensors; name one", s.sensors[0])}
			}
		}
	}
	if exists(s.file) {
		s.out("%s: exists, and stays as it is", s.file)
		return nil
	}
	old, err := s.findPredecessor()
	switch {
	case err == nil:
		s.out("takes over from the C agent %s", old.ini)
		if err := s.takeOver(ctx); err != nil && !named {
			return err
		} else if err != nil {
			s.out("%v", err) // the sensor that is named is used alone
		}
		if err := s.replacePredecessor(old); err != nil {
			return err
		}
	case !errors.Is(err, errNoPredecessor):
		return err
	case !named:
		if err := inifile.Replace(s.file, ini.Agent, agentGroup); err != nil {
			return fmt.Errorf("write %s: %w", s.file, withCure(err))
		}
		s.out("%s: written; no line is active in it", s.file)
		return nil
	}
	if !named {
		return nil
	}
	s.first = false
	return s.run(ctx)
}

// errNoPredecessor says that there is no C agent to take over from.
var errNoPredecessor = errors.New("there is no C agent here")
