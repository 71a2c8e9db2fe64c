package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var targetOptions = []string{"ifname", "ifaddr", "fanout"}

// maxInterfaceName is the longest name that the C agent takes, in bytes.
const maxInterfaceName = 254

// errUnknownOption marks what disables a line: a typo must not widen what is forwarded.
var errUnknownOption = errors.New("unknown option")

// parseTarget reads the value of an ActiveClient line. All that is wrong with it is
// returned; warnings are for a line that can be used.
func parseTarget(value string) (t Target, warnings []string, errs []error) {
	t.Fanout = 1
	fields, err := splitFields(unquote(value))
	if err != nil {
		return t, nil, []error{err}
	}
	if len(fields) == 0 || fields[0].assigned {
		return t, nil, []error{errors.New("ActiveClient: no host; write HOST, PORT")}
	}
	var port uint16
	if t.Host, port, err = parseHost(fields[0].word); err != nil {
		errs = append(errs, err)
	}
	options := fields[1:]
	if len(options) > 0 && !options[0].assigned && canonical(options[0].word, targetOptions) == "" {
		if t.Port, err = parsePort(options[0].word); err != nil {
			errs = append(errs, fmt.Errorf("port %w", err))
		} else if port != 0 && port != t.Port {
			errs = append(errs, fmt.Errorf("two ports, %d and %d; write one", port, t.Port))
		}
		options = options[1:]
	} else if t.Port = port; port == 0 {
		t.Port = DefaultPort
	}
	given, notes := make(map[string]string), make(map[string][]string)
	for _, o := range options {
		name := canonical(o.word, targetOptions)
		if name == "" {
			err = unknownOption(o)
		} else {
			notes[name], err = t.option(name, o)
		}
		if err != nil {
			errs = append(errs, err)
			if !o.assigned {
				break // prose rather than options: one message tells as much as many
			}
			continue
		}
		if old, again := given[name]; again && old != o.value {
			warnings = append(warnings, fmt.Sprintf("%s is given twice, %s counts; a further interface needs a line of its own, or a / between", name, o.value))
		}
		given[name] = o.value
	}
	for _, name := range targetOptions {
		warnings = append(warnings, notes[name]...)
	}
	return t, warnings, errs
}

func unknownOption(o field) error {
	if !o.assigned {
		return fmt.Errorf("%w %s; an option is written NAME=VALUE, a comment begins with #; known: %s",
			errUnknownOption, excerpt(o.word), strings.Join(targetOptions, ", "))
	}
	return fmt.Errorf("%w %s; %s", errUnknownOption, excerpt(o.word), suggest(o.word, targetOptions))
}

// option puts one option in force.
func (t *Target) option(name string, o field) (warnings []string, err error) {
	swallowed, _, _ := strings.Cut(o.value, "=") // "ifname= ifaddr=10.0.0.0/8"
	switch {
	case !o.assigned:
		return nil, fmt.Errorf("%s: no = after it; write %s=VALUE", name, name)
	case o.value == "" || canonical(swallowed, targetOptions) != "" && swallowed != o.value:
		return nil, fmt.Errorf("%s: no value; write %s=VALUE or remove it", name, name)
	}
	switch name {
	case "ifname":
		chosen, notes, err := ParseInterface(o.value)
		t.Select.Name, t.Select.Names = chosen.Name, chosen.Names
		return notes, err
	case "ifaddr":
		chosen, notes, err := parseAddresses(o.value)
		t.Select.Net, t.Select.Nets = chosen.Net, chosen.Nets
		return notes, err
	case "fanout":
		n, err := strconv.Atoi(o.value)
		if err != nil || n < 1 || n > maxFanout {
			return nil, fmt.Errorf("fanout %q: write a number of sessions, 1 to %d", o.value, maxFanout)
		}
		t.Fanout = n
	}
	return nil, nil
}

// ParseTargets reads the value of -a: HOST,PORT[,HOST,PORT…] with the separators of
// the ini. The last port may be left out.
func ParseTargets(value string) ([]Target, error) {
	words := splitWords(value)
	if len(words) == 0 {
		return nil, fmt.Errorf("sensor %q: write HOST,PORT", value)
	}
	var list []Target
	for i := 0; i < len(words); i += 2 {
		if name, _, found := strings.Cut(words[i], "="); found {
			return nil, fmt.Errorf("sensor %q: %s cannot be given here; use -i to select an interface, or an ActiveClient line of the ini", value, excerpt(name))
		}
		host, port, err := parseHost(words[i])
		if err != nil {
			return nil, err
		}
		t := Target{Host: host, Port: port, Fanout: 1}
		switch {
		case port != 0: // HOST:PORT is complete
			i--
		case i+1 == len(words):
			t.Port = DefaultPort
		default:
			if t.Port, err = parsePort(words[i+1]); err != nil {
				return nil, fmt.Errorf("sensor %s: port %w; each host but the last needs its port", host, err)
			}
		}
		list = append(list, t)
	}
	return list, nil
}
