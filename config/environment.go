package config

import (
	"fmt"
	"slices"
	"strings"
)

// Variable is a variable of the environment that stands for lines of the agent's file. It replaces those of the same key.
type Variable struct {
	Name  string // for messages
	Key   string // of the file, as AgentKeys has it
	Value string // of a key that may be repeated, a line for each
}

// place is how messages name it.
func (v Variable) place() string { return "environment " + v.Name }

// ParseAgentWith is ParseAgent with variables, which win over the file. Without a file, data is empty.
func ParseAgentWith(file string, data []byte, variables []Variable) (Agent, Problems) {
	a, problems := parseAgent(file, data, variables)
	a.Places = Places{} // two texts that say the same give the same
	return a, problems
}

// LoadAgentWith is LoadAgent with variables; an empty path is no file.
func LoadAgentWith(path string, variables []Variable) (Agent, Problems, error) {
	if path == "" {
		a, problems := parseAgent("environment", nil, variables)
		return a, problems, nil
	}
	data, err := readFile(path)
	if err != nil {
		return Agent{}, nil, err
	}
	a, problems := parseAgent(path, data, variables)
	return a, append(problems, a.Exposed(path)...), nil
}

// variables puts the environment in force and returns what is wrong with it.
func (p *agentParser) variables(list []Variable) (found Problems) {
	file := p.report
	for _, v := range list {
		p.report = &report{file: v.place()}
		p.variable(v)
		found = append(found, p.result()...)
	}
	p.report = file
	p.lenient = p.agent.Lenient
	for i := range found {
		found[i].Line = 0
	}
	return found
}

// variable reads a value as lines of a file, so that the same is good and bad there.
func (p *agentParser) variable(v Variable) {
	switch v.Key {
	case "ActiveClient":
		p.agent.Targets = nil
	case "Account":
		p.agent.Accounts = nil
	case "IgnoreInterfaces":
		p.agent.Ignore, p.ignored = nil, nil
	}
	var b strings.Builder
	lines := 0
	for line := range strings.Lines(v.Value) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			fmt.Fprintf(&b, "%s = %s\n", v.Key, line)
			lines++
		}
	}
	if lines != 1 && (lines == 0 || canonical(v.Key, repeated) == "") {
		p.errorf(0, "%d lines; write one value", lines)
		return
	}
	text, err := decode([]byte(b.String()))
	if err != nil {
		p.errorf(0, "%v", err)
		return
	}
	settings, _ := readSettings(text, &agentGrammar, p.report)
	before := len(p.agent.Targets)
	for _, s := range settings {
		s.line = 0
		p.apply(s)
	}
	for i := range p.agent.Targets[before:] {
		p.agent.Targets[before+i].From = v.place()
	}
}

// Suggest is the cure in a message about an unknown variable: the nearest known one, or all. Prefix begins the names of all.
func Suggest(prefix, word string, known []string) string {
	if k := nearest(word, known); k != "" {
		return "did you mean " + prefix + k + "?"
	}
	return "known: " + prefix + strings.Join(known, ", "+prefix)
}

// Misspelt says that a word is a known one but for one letter, or for two that have changed places.
func Misspelt(word string, known []string) bool {
	return len(word) <= 40 && slices.ContainsFunc(known, func(k string) bool { return editDistance(word, k) == 1 })
}
