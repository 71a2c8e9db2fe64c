package main

import (
	"fmt"
	"strings"

	"rpcapd/config"
)

// keepSelections puts the lines that a sensor has in the place of one without a choice of interface: to name the sensor
// again must not offer it more than before.
func (s *setup) keepSelections(targets []config.Target) ([]config.Target, error) {
	text, err := readIniOrTemplate(s.file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", withCure(err))
	}
	old, problems := config.ParseAgent(s.file, text)
	if problems.Err() != nil {
		return targets, nil // the edit tells what is wrong
	}
	var list []config.Target
	for _, t := range targets {
		kept := 0
		for _, u := range old.Targets {
			if !strings.EqualFold(t.Host, u.Host) || t.Port != u.Port {
				continue
			}
			if u.Disabled != "" {
				return nil, fmt.Errorf("%s:%d: the line for this sensor is disabled: %s; fix it, or choose the interface with --interface", s.file, u.Line, u.Disabled)
			}
			if s.fanout > 0 {
				u.Fanout = s.fanout
			}
			if !u.Select.IsZero() {
				s.out("%s:%d: keeps %s; name other interfaces with --interface or --cidr, or remove it from the line to let the sensor choose", s.file, u.Line, u.Select)
			}
			list = append(list, u)
			kept++
		}
		if kept == 0 {
			list = append(list, t)
		}
	}
	return list, nil
}
