package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxProblems bounds how many errors and how many warnings of one file are kept: a
// file of another kind given by mistake must not print a line for each of its own.
const maxProblems = 50

// maxText bounds the text of a problem, which quotes the file: the reason and the cure
// are at its end.
const maxText = 1000

// Problem is something that an operator should change in a file.
type Problem struct {
	File    string
	Line    int  // 1…; 0: the file as a whole
	Warning bool // the file can be used as it is
	// Doubtful marks a line that is not understood, or that nobody can have meant as it is: an error as a rule, a warning
	// with Lenient = yes.
	Doubtful bool
	Text     string
}

// String returns "rpcapd.ini:12: ifaddr "10.0.0.0/33": prefix longer than 32 bits".
// A warning is marked as one.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems are all problems of one file, in the order of its lines.
type Problems []Problem

// Err returns an error with one line per problem that is not a warning, nil if
// there is none.
func (l Problems) Err() error {
	var lines []string
	for _, p := range l {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Warnings returns the problems that are warnings.
func (l Problems) Warnings() Problems {
	var w Problems
	for _, p := range l {
		if p.Warning {
			w = append(w, p)
		}
	}
	return w
}

// severity is how bad a problem is.
type severity int

const (
	isError severity = iota
	isWarning
	isDoubtful // an error unless the file is lenient
	severities
)

// report collects the problems of one file.
type report struct {
	file     string
	problems Problems
	kept     [severities]int
	dropped  [severities]int
	lenient  bool
}

func (r *report) errorf(line int, format string, args ...any) {
	r.add(line, isError, fmt.Sprintf(format, args...))
}

func (r *report) warnf(line int, format string, args ...any) {
	r.add(line, isWarning, fmt.Sprintf(format, args...))
}

// doubtf reports a line that is not understood. Passing over it could widen what is forwarded or who is let in.
func (r *report) doubtf(line int, format string, args ...any) {
	r.add(line, isDoubtful, fmt.Sprintf(format, args...))
}

func (r *report) add(line int, s severity, text string) {
	if r.full(s) {
		r.dropped[s]++
		return
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText/2], "") + " … " + strings.ToValidUTF8(text[len(text)-maxText/2:], "")
	}
	r.kept[s]++
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Warning: s == isWarning, Doubtful: s == isDoubtful, Text: text})
}

// full tells whether further problems of the kind are only counted.
func (r *report) full(s severity) bool { return r.kept[s] == maxProblems }

// usable tells whether the file can be used so far.
func (r *report) usable() bool {
	return r.kept[isError] == 0 && (r.lenient || r.kept[isDoubtful] == 0)
}

// result returns the problems by line; those of the whole file come last.
func (r *report) result() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		switch {
		case a.Line == b.Line:
			return 0
		case a.Line == 0 || b.Line != 0 && a.Line > b.Line:
			return 1
		}
		return -1
	})
	for kind, word := range []string{"errors", "warnings", "lines that are not understood"} {
		if n := r.dropped[kind]; n > 0 {
			r.problems = append(r.problems, Problem{
				File: r.file, Warning: severity(kind) == isWarning, Doubtful: severity(kind) == isDoubtful,
				Text: fmt.Sprintf("and %d more %s; check that this is the right file", n, word),
			})
		}
	}
	for i := range r.problems {
		if p := &r.problems[i]; p.Doubtful && r.lenient {
			p.Warning = true
		}
	}
	return r.problems
}

// word is a name from a file as it stands there, if it can be shown so, else an excerpt of it.
func word(text string) string {
	if text == "" || len(text) > 40 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return excerpt(text)
	}
	return text
}

// excerpt quotes text from a file for a message and cuts it to a sane length.
func excerpt(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%s (cut, %d bytes)", strconv.Quote(text[:most]), len(text))
	}
	return strconv.Quote(text)
}

func badValue(value, cure string) error { return errors.New(excerpt(value) + ": " + cure) }
