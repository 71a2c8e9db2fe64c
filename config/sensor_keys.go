package config

import (
	"net/netip"
	"slices"
	"strings"
)

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

// forgetLines takes the lines out of the sections: one that has moved has not changed.
func (s *Sensor) forgetLines() {
	for i := range s.Files {
		s.Files[i].line = 0
	}
	for i := range s.TAP {
		s.TAP[i].line = 0
	}
	for i := range s.PcapOverIP {
		s.PcapOverIP[i].line = 0
	}
	s.HTTP.line = 0
}

// SensorKeys are the keys that each section of the sensor's file may have, by the kind
// of the section; those before the first section stand under "".
func SensorKeys() map[string][]string {
	list := map[string][]string{"": slices.Clone(sensorGrammar.top)}
	for _, s := range sensorGrammar.sections {
		if len(s.keys) > 0 {
			list[s.kind] = slices.Clone(s.keys)
		}
	}
	return list
}
