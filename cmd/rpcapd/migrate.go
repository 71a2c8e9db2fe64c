package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// Where the C agent's installer puts things, and where packages of this one move its script.
const (
	oldProgram = "/opt/extrahop/sbin/rpcapd"
	oldIni     = "/opt/extrahop/etc/rpcapd.ini"
	initScript = "/etc/init.d/rpcapd"
)

// copyLimit bounds the copies of different configurations of the C agent.
const copyLimit = 100

// scriptNames are the places of the init script: its own, and where a package has moved it.
var scriptNames = []string{initScript, initScript + ".dpkg-old", initScript + ".rpmsave"}

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

// scriptArgs finds the options that a script starts the agent with: the installer's script has them in one line or one
// variable. Names of variables in them are replaced by what the script sets them to.
// What the operator has set in a file of defaults, which the script reads, counts more.
func scriptArgs(text string, defaults map[string]string) []string {
	values := maps.Clone(defaults)
	if values == nil {
		values = make(map[string]string)
	}
	var best []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, assigned := assignment(line)
		if assigned {
			line = value
		}
		line = expandWords(line, values)
		if _, fixed := defaults[name]; assigned && !fixed {
			values[name] = line
		}
		words := strings.Fields(line)
		for i, w := range words {
			if w = strings.Trim(w, `"'`); strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && iniOf(words[i:]) != "" {
				best = cleanWords(words[i:])
				break
			}
		}
	}
	return best
}

// assignment is NAME=VALUE of a shell script.
func assignment(line string) (name, value string, is bool) {
	name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
	return name, value, found && !strings.ContainsAny(name, " \t$\"'(")
}

// expandWords puts values in the place of names. A name with a default, as in ${A:-B}, has its value or none.
func expandWords(text string, values map[string]string) string {
	return os.Expand(strings.Trim(text, `"'`), func(name string) string {
		name, _, _ = strings.Cut(name, ":")
		return values[name]
	})
}

// scriptDefaults are the variables of the files that init scripts read.
func (s *setup) scriptDefaults() map[string]string {
	values := make(map[string]string)
	for _, name := range []string{"/etc/default/rpcapd", "/etc/sysconfig/rpcapd"} {
		text, err := os.ReadFile(s.in(name))
		if err != nil {
			continue // most hosts have one of them at most
		}
		for line := range strings.Lines(string(text)) {
			if name, value, is := assignment(strings.TrimSpace(line)); is && !strings.HasPrefix(name, "#") {
				values[name] = expandWords(value, values)
			}
		}
	}
	return values
}

// cleanWords takes quotation marks away and ends where the command does.
func cleanWords(words []string) (list []string) {
	for _, w := range words {
		if w = strings.Trim(w, `"'`); w == "" || strings.ContainsAny(w, "<>&|;`") {
			break
		}
		list = append(list, w)
	}
	return list
}

// iniOf returns the file that a command line names with -f.
func iniOf(args []string) string {
	for i, w := range args {
		if name, found := strings.CutPrefix(w, "-f"); found {
			if name == "" && i+1 < len(args) {
				name = args[i+1]
			}
			if name = strings.Trim(name, `"'=`); strings.HasSuffix(name, ".ini") || strings.HasPrefix(name, "/") {
				return name
			}
		}
	}
	return ""
}

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
	for _, letter := range []string{"t", "u", "z", "c", "e"} {
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

// lost says which of its options are not taken over, and why that does no harm.
func lost(flags *pflag.FlagSet) (notes []string) {
	for letter, why := range map[string]string{
		"L": "under systemd the journal has the log",
		"m": "there is no buffer between two threads; -z sets the ring's memory",
		"k": "there is no buffer between two threads; -z sets the ring's memory",
	} {
		if f := flags.ShorthandLookup(letter); f != nil && f.Changed {
			notes = append(notes, "-"+letter+" is not taken over: "+why)
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
