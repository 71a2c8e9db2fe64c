package config

// sensorSection is one kind of section of the sensor's file. Each has a file of its own.
type sensorSection struct {
	section
	begin func(p *sensorParser, h header, name string) // a header; name is empty if it has none. May be nil
	key   func(p *sensorParser, s setting) error       // one line; the error becomes "KEY error" with the line number
	whole func(p *sensorParser)                        // after the last line, if every line could be read. May be nil
}

type sensorParser struct {
	*report
	sensor   Sensor
	rules    map[string]*Rule // by section
	dataLine int              // of the last key of [data]
	patterns []setting        // that choose agents and rules
	lines    map[place]int    // of the keys in force
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
