package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// OnlyDoubtful tells whether there are errors, and Lenient = yes would make warnings of all of them.
func (l Problems) OnlyDoubtful() bool {
	some := false
	for _, p := range l {
		if !p.Warning && !p.Doubtful {
			return false
		}
		some = some || !p.Warning
	}
	return some
}

// MakeLenient adds Lenient = YES to an agent's file whose only errors are lines that are not understood; changed is
// false for every other file. It is for files that an earlier version started with: those lines had no effect then, and
// the agent must still start with them after an upgrade.
func MakeLenient(file string, data []byte) (edited []byte, changed bool) {
	if _, problems := ParseAgent(file, data); !problems.OnlyDoubtful() || !editable(data) {
		return data, false
	}
	x := newEditor(string(data))
	x.set("Lenient", "YES")
	edited = []byte(strings.Join(x.lines, ""))
	_, problems := ParseAgent(file, edited)
	return edited, problems.Err() == nil
}

// CommentOut makes comments of the lines of a file that are not understood, and of what stands in a section of the
// sensor's file that is not. Invisible characters are taken out instead: a line with one at its end was in force, and
// without it more would be let in. It tells what it did, one sentence a line.
func CommentOut(data []byte, problems Problems) (edited []byte, done []string) {
	if !editable(data) {
		return data, nil
	}
	sections := make(map[int]bool)
	lines := make(map[int]bool)
	stained := make(map[int]bool)
	for _, p := range problems {
		switch {
		case !p.Doubtful || p.Line == 0 || strings.Contains(p.Text, sectionAgain) || strings.Contains(p.Text, errUnknownOption.Error()):
		case strings.Contains(p.Text, invisibleCharacter):
			stained[p.Line] = true
		default:
			lines[p.Line] = true
			sections[p.Line] = strings.Contains(p.Text, unknownSection)
		}
	}
	x := newEditor(string(data))
	within := false
	for i, line := range x.lines {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "[") {
			within = sections[i+1]
		}
		comment := lines[i+1] || within || stained[i+1] && hiddenName(text)
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
			continue
		case !comment && stained[i+1]:
			x.lines[i] = strings.Map(visible, line)
			x.done = append(x.done, fmt.Sprintf("line %d without its invisible characters: %s", i+1, shown(x.lines[i])))
			continue
		case !comment:
			continue
		}
		x.lines[i] = "#" + line
		x.done = append(x.done, fmt.Sprintf("line %d made a comment: %s", i+1, shown(text)))
	}
	if slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, sectionAgain) }) {
		x.joinSections()
	}
	return []byte(strings.Join(x.lines, "")), x.done
}

// joinSections moves what stands in a second section of the same kind, without a name, to the first one: until they were
// refused their keys were taken together.
func (x *editor) joinSections() {
	var order []string                    // of the sections that stay
	sections := make(map[string][]string) // their lines; "" is what stands before the first
	current := ""
	for i, line := range x.lines {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "[") {
			kind, name, ok := headerOf(text)
			s := sensorGrammar.section(kind)
			again := ok && s != nil && s.many && name == "" && sections[s.kind] != nil
			switch {
			case again:
				current = s.kind
				line = "#" + line
				x.say("line %d: the keys of this [%s] were moved to the first one", i+1, s.kind)
			case ok && s != nil && s.many && name == "":
				current = s.kind
			default:
				current = fmt.Sprint(i)
			}
			if !again {
				order = append(order, current)
			}
		}
		sections[current] = append(sections[current], line)
	}
	x.lines = sections[""]
	for _, s := range order {
		x.lines = append(x.lines, sections[s]...)
	}
}

// editable tells whether lines can be changed without harm to the rest.
func editable(data []byte) bool { return utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 }
