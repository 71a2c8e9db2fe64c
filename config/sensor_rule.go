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

// ruleKey puts one line of a rule in force.
func (p *sensorParser) ruleKey(rule *Rule, s setting) {
	value := unquote(s.value)
	var errs []error
	var err error
	switch s.key {
	case "Port":
		rule.Port, err = parsePort(value)
	case "Address":
		rule.Addresses, errs = parseNetworks(value)
	case "AllowAgents":
		rule.AllowAgents, errs = parseNetworks(value)
	case "Interface":
		rule.Interfaces, errs = parseGlobs(value)
	case "Filter":
		rule.Filter = value
	case "Snaplen":
		rule.Snaplen, err = parseSnaplen(value)
	case "Promiscuous":
		rule.Promiscuous, err = parseSwitch(value)
	case "Sampling":
		rule.Sampling, err = parseSampling(value)
	case "Transport":
		var n int
		n, err = choose(value, "udp", "tcp")
		rule.TCP = n == 1
	case "User":
		rule.User, err = value, checkLength(value, maxNameLength)
	case "Password":
		rule.Password, err = value, checkLength(value, maxSecret)
	}
	if err != nil {
		errs = append(errs, err)
	}
	for _, err := range errs {
		p.errorf(s.line, "%s %v", s.key, err)
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

func badValue(value, cure string) error { return errors.New(excerpt(value) + ": " + cure) }
