package config

import (
	"net/netip"
	"strings"
)

// sensorSection is one kind of section of the sensor's file. Each has a file of its own.
type sensorSection struct {
	section
	begin func(p *sensorParser, h header, name string) // a header; name is empty if it has none. May be nil
	key   func(p *sensorParser, s setting) error       // one line; the error becomes "KEY error" with the line number
	whole func(p *sensorParser)                        // after the last line, if every line could be read. May be nil
}

// sensorSections is what the sensor's file may hold after its first keys, in the order in which it is explained.
var sensorSections = []sensorSection{
	ruleSection,
	dataSection,
	streamsSection,
	outputSection,
	fileSection,
	pcapOverIPSection,
	tapSection,
	httpSection,
}

// sensorGrammar is the same for the reader of lines.
var sensorGrammar = grammar{top: []string{"Listen", "Alias"}, sections: grammarOf(sensorSections)}

func grammarOf(sections []sensorSection) []section {
	list := make([]section, len(sections))
	for i, s := range sections {
		list[i] = s.section
	}
	return list
}

// ParseSensor reads the sensor's file. The result is of use only if the problems
// hold no error; file is for the messages.
func ParseSensor(file string, data []byte) (Sensor, Problems) {
	s, problems := parseSensor(file, data)
	s.Places = Places{} // two texts that say the same give the same
	return s, problems
}

func parseSensor(file string, data []byte) (Sensor, Problems) {
	r := &report{file: file}
	text, err := decode(data)
	if err != nil {
		r.errorf(0, "%v", err)
		return Sensor{}, r.result()
	}
	p := &sensorParser{report: r, rules: make(map[string]*Rule), lines: make(map[place]int)}
	p.sensor.Data = DataPorts{First: DefaultPort, Count: defaultDataPorts}
	settings, headers := readSettings(text, &sensorGrammar, r)
	for _, h := range headers {
		if s, name := sectionOf(h.section); s.begin != nil {
			s.begin(p, h, name)
		}
	}
	once := make(map[place]int)
	for _, s := range settings {
		r.again(once, s)
		p.apply(s)
	}
	if p.usable() {
		for _, s := range sensorSections {
			if s.whole != nil {
				s.whole(p)
			}
		}
		p.checkPatterns()
	}
	p.sensor.forgetLines()
	p.sensor.Places = placesOf(file, settings, headers)
	return p.sensor, r.result()
}

type sensorParser struct {
	*report
	sensor   Sensor
	rules    map[string]*Rule // by section
	dataLine int              // of the last key of [data]
	patterns []setting        // that choose agents and rules
	lines    map[place]int    // of the keys in force
}

// sectionOf finds what reads a section, given as "kind name".
func sectionOf(text string) (s *sensorSection, name string) {
	kind, name, _ := strings.Cut(text, " ")
	for i := range sensorSections {
		if sensorSections[i].kind == kind {
			return &sensorSections[i], name
		}
	}
	return nil, name
}

// lineOf is the line of the first of the keys that stands in the section, else the other one given.
func (p *sensorParser) lineOf(section string, otherwise int, keys ...string) int {
	for _, key := range keys {
		if line := p.lines[place{section, key}]; line > 0 {
			return line
		}
	}
	return otherwise
}

// apply puts one line in force.
func (p *sensorParser) apply(s setting) {
	p.lines[s.place] = s.line
	var err error
	switch {
	case s.section != "":
		section, _ := sectionOf(s.section)
		err = section.key(p, s)
	case s.key == "Listen":
		p.sensor.Listen, err = parseListen(unquote(s.value))
	case s.key == "Alias":
		err = p.alias(s)
	}
	if err == nil {
		p.doubt(s)
		return
	}
	for _, e := range unjoin(err) {
		p.errorf(s.line, "%s %v", s.key, e)
	}
}

// unjoin lists the errors that errors.Join has put together.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
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
