package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	maxNameLength = 255   // of rules, aliases, users; bytes
	maxSecret     = 65535 // what an AUTH message can carry, in bytes

)

var ruleSection = sensorSection{
	section: section{kind: "rule", named: true, keys: []string{
		"Port", "Address", "Interface", "Filter", "Snaplen", "Promiscuous", "Sampling",
		"Transport", "AllowAgents", "User", "Password",
	}},
	begin: func(p *sensorParser, h header, name string) {
		p.sensor.Rules = append(p.sensor.Rules, Rule{Name: name, Line: h.line, Port: DefaultPort})
		clear(p.rules) // the rules have moved
		for i := range p.sensor.Rules {
			rule := &p.sensor.Rules[i]
			p.rules["rule "+rule.Name] = rule
		}
	},
	key:   func(p *sensorParser, s setting) error { return p.rules[s.section].set(s) },
	whole: (*sensorParser).checkRules,
}

// set puts one line of a rule in force.
func (r *Rule) set(s setting) error {
	value := unquote(s.value)
	var errs []error
	var err error
	switch s.key {
	case "Port":
		r.Port, err = parseAgentPort(value)
	case "Address":
		r.Addresses, errs = parseNetworks(value)
	case "AllowAgents":
		r.AllowAgents, errs = parseNetworks(value)
	case "Interface":
		r.Interfaces, errs = parseGlobs(value)
	case "Filter":
		r.Filter = value
	case "Snaplen":
		r.Snaplen, err = parseSnaplen(value)
	case "Promiscuous":
		r.Promiscuous, err = parseSwitch(value)
	case "Sampling":
		r.Sampling, err = parseSampling(value)
	case "Transport":
		var n int
		n, err = choose(value, "udp", "tcp")
		r.TCP = n == 1
	case "User":
		r.User, err = value, checkLength(value, maxNameLength)
	case "Password":
		r.Password, err = value, checkLength(value, maxSecret)
	}
	return errors.Join(append(errs, err)...)
}

// parseAgentPort reads the port that agents dial. Those up to 1023 are left to the system: the sensor
// runs without the right to open them.
func parseAgentPort(value string) (uint16, error) {
	port, err := parsePort(value)
	if err == nil && port <= lastSystemPort {
		return 0, fmt.Errorf("%q: ports up to %d are the system's; choose one above, such as %d", value, lastSystemPort, DefaultPort)
	}
	return port, err
}

// checkRules looks at what the lines make together.
func (p *sensorParser) checkRules() {
	for _, r := range p.sensor.Rules {
		switch {
		case r.Password != "" && r.User == "":
			p.errorf(p.lineOf("rule "+r.Name, r.Line, "Password"), "rule %s has a Password and no User; add User = NAME", r.Name)
		case r.User != "" && r.Password == "":
			p.errorf(p.lineOf("rule "+r.Name, r.Line, "User"), "rule %s has a User and no Password; add Password = WORD", r.Name)
		}
	}
	p.checkReach()
	if len(p.sensor.Rules) == 0 {
		p.sensor.Rules = []Rule{{Name: "default", Port: DefaultPort}}
		p.warnf(0, "no rule: every agent is accepted on port %d and asked for all frames of its first interface; a rule begins with [rule NAME]", DefaultPort)
	}
}

// parseNetworks reads a list of addresses and networks.
func parseNetworks(value string) (list []netip.Prefix, errs []error) {
	for _, word := range splitWords(value) {
		network, err := parseNetwork(word)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, network)
	}
	if list == nil && errs == nil {
		errs = append(errs, badValue(value, "write addresses or networks, as in 192.168.4.0/24"))
	}
	return list, errs
}

// parseGlobs reads a list of patterns for names of interfaces.
func parseGlobs(value string) (list []string, errs []error) {
	for _, word := range splitWords(value) {
		if _, err := path.Match(word, ""); err != nil {
			errs = append(errs, badValue(word, "the pattern has no end; [ needs a ]"))
			continue
		}
		list = append(list, word)
	}
	if list == nil && errs == nil {
		errs = append(errs, badValue(value, "write names or patterns, as in eth*"))
	}
	return list, errs
}

// parseSampling reads "none", "1/10" (the first of every 10 frames) or "10ms" (the
// first frame after each 10 ms).
func parseSampling(value string) (Sampling, error) {
	bad := badValue(value, "write 1/N for the first of every N frames, a time such as 10ms for one frame in each, or none")
	text := strings.ToLower(strings.ReplaceAll(value, " ", ""))
	if text == "none" || text == "0" {
		return Sampling{}, nil
	}
	if n, found := strings.CutPrefix(text, "1/"); found {
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || count == 0 {
			return Sampling{}, bad
		}
		return Sampling{OneIn: uint32(count)}, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Millisecond || d.Milliseconds() > math.MaxUint32 || d%time.Millisecond != 0 {
		return Sampling{}, bad
	}
	return Sampling{Interval: d}, nil
}

func parseListen(value string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.Trim(value, "[]"))
	if err != nil {
		return netip.Addr{}, badValue(value, "write the one address to listen on; the ports are in the rules and in [data]")
	}
	return a.Unmap(), nil
}

func parseCount(value string, most int) (int, error) {
	n, err := parseInt(value)
	if err != nil || n < 1 || n > int64(most) {
		return 0, badValue(value, fmt.Sprintf("write a number of 1 to %d", most))
	}
	return int(n), nil
}

// checkLength does not repeat the value: it may be a secret.
func checkLength(value string, most int) error {
	if len(value) > most {
		return fmt.Errorf("is longer than %d bytes", most)
	}
	return nil
}
