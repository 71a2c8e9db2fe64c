package config

import (
	"net/netip"
	"strings"
)

// sensorGrammar is what the sensor's file may hold.
var sensorGrammar = grammar{
	top: []string{"Listen", "Alias"},
	sections: []section{
		{kind: "rule", named: true, keys: []string{
			"Port", "Address", "Interface", "Filter", "Snaplen", "Promiscuous", "Sampling",
			"Transport", "AllowAgents", "User", "Password",
		}},
		{kind: "data", keys: []string{"FirstPort", "Ports"}},
		{kind: "output", keys: []string{"File"}},
		{kind: "pcap-over-ip", later: notServed},
		{kind: "http", later: notServed},
	},
}

const notServed = "this version of the sensor does not serve it"

// ParseSensor reads the sensor's file. The result is of use only if the problems
// hold no error; file is for the messages.
func ParseSensor(file string, data []byte) (Sensor, Problems) {
	r := &report{file: file}
	text, err := decode(data)
	if err != nil {
		r.errorf(0, "%v", err)
		return Sensor{}, r.result()
	}
	p := sensorParser{report: r, rules: make(map[string]*Rule)}
	p.sensor.Data = DataPorts{First: DefaultPort, Count: defaultDataPorts}
	settings, headers := readSettings(text, &sensorGrammar, r)
	p.makeRules(headers)
	once := make(map[place]int)
	for _, s := range settings {
		r.again(once, s)
		p.apply(s)
	}
	p.whole()
	return p.sensor, r.result()
}

type sensorParser struct {
	*report
	sensor   Sensor
	rules    map[string]*Rule // by section
	dataLine int              // of the last key of [data]
}

// makeRules gives each [rule NAME] its place, also one without keys.
func (p *sensorParser) makeRules(headers []header) {
	for _, h := range headers {
		if name, found := strings.CutPrefix(h.section, "rule "); found {
			p.sensor.Rules = append(p.sensor.Rules, Rule{Name: name, Line: h.line, Port: DefaultPort})
		}
	}
	for i := range p.sensor.Rules {
		rule := &p.sensor.Rules[i]
		p.rules["rule "+rule.Name] = rule
	}
}

func (p *sensorParser) apply(s setting) {
	if rule := p.rules[s.section]; rule != nil {
		p.ruleKey(rule, s)
		return
	}
	var err error
	switch value := unquote(s.value); s.key {
	case "Listen":
		p.sensor.Listen, err = parseListen(value)
	case "Alias":
		err = p.alias(s)
	case "FirstPort":
		p.dataLine = s.line
		p.sensor.Data.First, err = parsePort(value)
	case "Ports":
		p.dataLine = s.line
		p.sensor.Data.Count, err = parseCount(value, maxDataPorts)
	case "File":
		p.sensor.Output.File = value
	}
	if err != nil {
		p.errorf(s.line, "%s %v", s.key, err)
	}
}

// alias reads "ADDRESS, NAME".
func (p *sensorParser) alias(s setting) error {
	address, name, found := strings.Cut(s.value, ",")
	if !found {
		address, name, found = strings.Cut(s.value, " ")
	}
	a, err := netip.ParseAddr(strings.TrimSpace(address))
	name = unquote(strings.TrimSpace(name))
	if err != nil || !found || name == "" || len(name) > maxNameLength {
		return badValue(s.value, "write ADDRESS, NAME, as in 10.0.0.5, web1")
	}
	if p.sensor.Aliases == nil {
		p.sensor.Aliases = make(map[netip.Addr]string)
	}
	a = a.Unmap()
	if old, again := p.sensor.Aliases[a]; again && old != name {
		p.warnf(s.line, "Alias: %s has the name %q already; this one counts", a, old)
	}
	p.sensor.Aliases[a] = name
	return nil
}

// whole looks at what the lines make together.
func (p *sensorParser) whole() {
	if p.kept[0] > 0 {
		return
	}
	d := p.sensor.Data
	if int(d.First)+d.Count-1 > 65535 {
		p.errorf(p.dataLine, "%d ports from %d on go beyond 65535; choose a smaller FirstPort", d.Count, d.First)
	}
	for _, r := range p.sensor.Rules {
		switch {
		case r.Password != "" && r.User == "":
			p.errorf(r.Line, "rule %s has a Password and no User; add User = NAME", r.Name)
		case r.User != "" && r.Password == "":
			p.errorf(r.Line, "rule %s has a User and no Password; add Password = WORD", r.Name)
		}
	}
	if len(p.sensor.Rules) == 0 {
		p.sensor.Rules = []Rule{{Name: "default", Port: DefaultPort}}
		p.warnf(0, "no rule: every agent is accepted on port %d and asked for all frames of its first interface; a rule begins with [rule NAME]", DefaultPort)
	}
}
