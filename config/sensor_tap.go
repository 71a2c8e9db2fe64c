package config

import (
	"fmt"
	"strings"
)

const (
	defaultTAP   = "rpcap0"
	minTAPMTU    = 68
	maxTAPMTU    = 65521 // 65,535 bytes with the Ethernet header, what the kernel allows a TAP interface
	maxInterface = 15    // bytes of an interface's name on Linux
)

var tapSection = sensorSection{
	section: section{kind: "tap", many: true, keys: append([]string{"Interface", "MTU", "Guard", "Persist"}, selectionKeys...)},
	begin: func(p *sensorParser, h header, _ string) {
		p.sensor.TAP = append(p.sensor.TAP, TAP{Interface: defaultTAP, Guard: true, section: h.section, line: h.line})
	},
	key: func(p *sensorParser, s setting) error {
		for i := range p.sensor.TAP {
			if to := &p.sensor.TAP[i]; to.section == s.section {
				return to.set(s)
			}
		}
		return nil
	},
	whole: func(p *sensorParser) {
		lines := make(map[string]int)
		for _, t := range p.sensor.TAP {
			if line := lines[t.Interface]; line > 0 {
				p.errorf(p.lineOf(t.section, t.line, "Interface"), "[%s] has the interface %s, and so has that of line %d; give it another Interface", t.section, t.Interface, line)
			}
			lines[t.Interface] = t.line
		}
	},
}

// Title is the section of the file, without brackets.
func (t TAP) Title() string { return t.section }

// set puts one line of a section in force.
func (t *TAP) set(s setting) (err error) {
	switch value := unquote(s.value); s.key {
	case "Interface":
		t.Interface, err = parseInterfaceName(value)
	case "MTU":
		n, err := parseInt(value)
		if err != nil || n < minTAPMTU || n > maxTAPMTU {
			return badValue(value, fmt.Sprintf("write a number of bytes, %d to %d, as in 9216", minTAPMTU, maxTAPMTU))
		}
		t.MTU = int(n)
	case "Guard":
		t.Guard, err = parseSwitch(value)
	case "Persist":
		t.Persist, err = parseSwitch(value)
	default:
		_, err = t.Selection.set(s)
	}
	return err
}

// parseInterfaceName refuses what Linux does not take as a name, or takes as a pattern.
func parseInterfaceName(value string) (string, error) {
	if value == "" || len(value) > maxInterface || value == "." || value == ".." || strings.ContainsFunc(value, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune("/:%", c)
	}) {
		return "", badValue(value, fmt.Sprintf("write a name of at most %d letters, digits and signs without /, : and %%, as in rpcap0", maxInterface))
	}
	return value, nil
}
