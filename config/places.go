package config

// Places says on which line of the file each key stands, for messages about what shows itself only when the key is put to
// use: a filter that does not compile, a certificate that is not there. The zero value knows none.
type Places struct {
	file  string
	lines map[place]int // with an empty key that of the header
}

// Problem is an error about a key, on its line; about the section if the key is not there.
func (p Places) Problem(section, key, text string) Problem {
	line := p.lines[place{section, key}]
	if line == 0 {
		line = p.lines[place{section: section}]
	}
	return Problem{File: p.file, Line: line, Text: text}
}

// placesOf notes where everything is.
func placesOf(file string, settings []setting, headers []header) Places {
	p := Places{file, make(map[place]int, len(settings)+len(headers))}
	for _, h := range headers {
		if at := (place{section: h.section}); p.lines[at] == 0 {
			p.lines[at] = h.line
		}
	}
	for _, s := range settings {
		p.lines[s.place] = s.line // the last one counts
	}
	return p
}
