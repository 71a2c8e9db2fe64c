package config

import "strings"

// place is where a value stands.
type place struct {
	section string // "" before the first one, "data", "rule web"
	key     string // canonical
}

// index says which line holds which key. Only lines that it recognizes reach the
// library: that stops at the first one it cannot read, spends quadratic time on
// keys it has not seen, and takes values in quotation marks across lines.
type index struct {
	clean    strings.Builder // the text for the library
	lines    map[place][]int // in the order of the file
	sections []header        // those that are read
}

// header is the line that begins a section.
type header struct {
	section string
	line    int
}

// indexer walks over the lines of a text.
type indexer struct {
	*report
	grammar *grammar
	index   index
	current string // section
	skip    bool   // the current section is not read
}

const maxSections = 1024
