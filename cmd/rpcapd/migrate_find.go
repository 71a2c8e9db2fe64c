//go:build !windows

package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Where the C agent's installer puts things, and where packages of this one move its script.
const (
	oldProgram = "/opt/extrahop/sbin/rpcapd"
	oldIni     = "/opt/extrahop/etc/rpcapd.ini"
	initScript = "/etc/init.d/rpcapd"
)

// logElsewhere is why -L is not taken over.
const logElsewhere = "under systemd the journal has the log"

// scriptNames are the places of the init script: its own, and where a package has moved it.
var scriptNames = []string{initScript, initScript + ".dpkg-old", initScript + ".rpmsave"}

// findPredecessor looks for the program, its ini, its script and its processes.
func (s *setup) findPredecessor() (*predecessor, error) {
	old := &predecessor{}
	for _, name := range scriptNames {
		text, err := os.ReadFile(s.in(name))
		if err == nil && strings.Contains(string(text), "/opt/extrahop/") {
			old.script, old.args = s.in(name), scriptArgs(string(text), s.scriptDefaults())
			s.out("found its init script %s", old.script)
			break
		}
	}
	for i, p := range processesOf(s.in(oldProgram)) {
		s.out("found it running: process %d, rpcapd %s", p.pid, strings.Join(p.args, " "))
		old.pids = append(old.pids, p.pid)
		switch {
		case i == 0:
			old.args = p.args // what runs knows better than the script
		case !slices.Equal(p.args, old.args): // not one that the first has started
			old.others = append(old.others, strings.Join(p.args, " "))
		}
	}
	if old.others != nil {
		return nil, fmt.Errorf("setup --migrate: nothing is changed: several C agents run here with different command lines; end all but one (\"rpcapd %s\"), migrate, and give the others a file each: systemctl enable --now rpcapd@NAME", strings.Join(old.args, " "))
	}
	old.ini = s.in(oldIni)
	if named := iniOf(old.args); named != "" {
		old.ini = s.in(named)
	}
	if !exists(old.ini) && old.script == "" && old.pids == nil {
		return nil, fmt.Errorf("setup --migrate: %w: neither %s nor %s nor a process of %s", errNoPredecessor, s.in(oldIni), s.in(initScript), s.in(oldProgram))
	}
	if exists(old.ini) {
		s.out("found its configuration %s", old.ini)
	}
	return old, nil
}

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
