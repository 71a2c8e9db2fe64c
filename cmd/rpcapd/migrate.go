package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// copyLimit bounds the copies of different configurations of the C agent.
const copyLimit = 100

// predecessor is an installation of the C agent.
type predecessor struct {
	script string   // path of its init script, empty if there is none
	args   []string // its command line, without the program
	ini    string   // the file that it names, inside the root
	pids   []int
	others []string // command lines of further processes that differ from it
}

// in is the place of a path of the installation.
func (s *setup) in(path string) string { return filepath.Join(s.root, path) }

// inherit turns the ini and the command line of the C agent into an edit of the own ini, and into the options that only
// a command line can hold.
func (s *setup) inherit(old *predecessor) (e config.Edit, options []string, err error) {
	line := newSettings(old.ini)
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, g := range line.groups() {
		flags.AddFlagSet(g.flags)
	}
	if err := flags.Parse(old.args); err != nil {
		return e, nil, fmt.Errorf("setup --migrate: its command line \"rpcapd %s\" is not understood: %w", strings.Join(old.args, " "), err)
	}
	a := line.line.Agent()
	data, err := os.ReadFile(old.ini)
	switch {
	case err == nil:
		parsed, problems := config.ParseAgent(old.ini, data)
		if odd := oddLines(data, problems); odd != nil { // the C agent passes over them
			e.Comments = append([]string{"not understood in " + old.ini + ":"}, odd...)
			known, done := config.CommentOut(data, problems)
			for _, what := range done {
				s.out("%s: %s", s.file, what)
			}
			parsed, problems = config.ParseAgent(old.ini, known)
		}
		for _, p := range problems.Warnings() {
			s.out("%s", p)
		}
		if err := problems.Err(); err != nil {
			return e, nil, fmt.Errorf("setup --migrate: nothing is changed, because the C agent's configuration has errors; fix them and try again:\n%w", err)
		}
		a = line.line.Apply(parsed)
	case !errors.Is(err, fs.ErrNotExist):
		return e, nil, fmt.Errorf("setup --migrate: %w", err)
	}
	if len(a.Targets) == 0 {
		return e, nil, errors.New("setup --migrate: the C agent has no sensor: neither an ActiveClient line nor -a")
	}
	e.Targets, e.NullAuth, e.Accounts, e.CommentOut = a.Targets, a.NullAuth, a.Accounts, true
	for _, letter := range append([]string{"t", "u", "z"}, tuned...) {
		if f := flags.ShorthandLookup(letter); f.Changed {
			options = append(options, "-"+letter, f.Value.String())
		}
	}
	if line.ipv4 {
		options = append(options, "-4")
	}
	for _, note := range lost(flags) {
		s.out("%s", note)
	}
	return e, options, nil
}

// oddLines are the lines of the C agent's ini that neither agent understands. One that has ActiveClient in it is no
// such line: the C agent finds the word anywhere, and may have called that sensor.
func oddLines(data []byte, problems config.Problems) (odd []string) {
	lines := strings.Split(string(data), "\n")
	for _, p := range problems {
		if !p.Doubtful || p.Line == 0 || p.Line > len(lines) {
			continue
		}
		text := strings.TrimSpace(lines[p.Line-1])
		if strings.Contains(text, "ActiveClient") {
			return nil
		}
		odd = append(odd, text)
	}
	return odd
}

// notCarried are options of the C agent that do something there, and why it does no harm that they are left out. Those of tune are
// carried where it can serve them.
var notCarried = []struct{ letter, why string }{
	{"L", logElsewhere},
	{"m", "there is no buffer between two threads; -z sets the ring's memory"},
	{"k", "there is no buffer between two threads; -z sets the ring's memory"},
	{"g", "a full send buffer is waited for at most 2 ms, then the datagram is dropped and counted"},
	{"c", "the system chooses the CPU"},
	{"e", "the system chooses the priority"},
	{"r", runByHand}, {"s", runByHand}, {"y", runByHand}, {"S", runByHand},
}

const runByHand = "it is for a run by hand"

// lost says which of its options are not taken over.
func lost(flags *pflag.FlagSet) (notes []string) {
	for _, x := range notCarried {
		if f := flags.ShorthandLookup(x.letter); f != nil && f.Changed && !slices.Contains(tuned, x.letter) {
			notes = append(notes, "-"+x.letter+" is not taken over: "+x.why)
		}
	}
	return notes
}

// keepCopy leaves the old ini beside the new one.
func (s *setup) keepCopy(old *predecessor) error {
	data, err := os.ReadFile(old.ini)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("copy the old ini: %w", err)
	}
	copied := s.file + ".extrahop"
	for n := 2; ; n++ { // a copy of another content stays
		kept, err := os.ReadFile(copied)
		if errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(kept, data) {
			break
		}
		if err != nil || n > copyLimit {
			return fmt.Errorf("copy the old ini: %s already exists; move it away", copied)
		}
		copied = fmt.Sprintf("%s.extrahop.%d", s.file, n)
	}
	if err := inifile.Replace(copied, data, agentGroup); err != nil {
		return fmt.Errorf("copy the old ini: %w", err)
	}
	s.out("its configuration is kept as %s", copied)
	return nil
}
