package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"rpcapd/cmd/internal/environment"
	"rpcapd/config"
	"rpcapd/openflag"
)

// environmentPrefix begins the names of the variables that configure the agent.
const environmentPrefix = "RPCAPD_"

// environmentFlags are the flags that variables can set. The others are for the command line, or there is a key for them.
var environmentFlags = []string{"file", "ring", "cpu", "nice", "dry-run", "log-stats", "datagram", "send-buffer", "gso", "ipv4", "run-dir", "syslog", "log-format", "log-level"}

// The variables of one ActiveClient line, and what they are in it.
var environmentLine = []struct{ word, option string }{{"SENSOR", ""}, {"PORT", ""}, {"IFNAME", "ifname"}, {"IFADDR", "ifaddr"}, {"FANOUT", "fanout"}}

const accountFileWord = "ACCOUNT_FILE"

// environmentOthers are variables that do not configure: of the packages' services, those that Name in the ini refers to, that of
// the image, and one of package privilege.
var environmentOthers = []string{"OPTIONS", "INI", "NODE_NAME", "POD_NAME", "CONTAINER", "PRIVILEGES_DROPPED"}

// environmentWords are the words of all variables.
func environmentWords() []string {
	list := []string{accountFileWord}
	for _, key := range config.AgentKeys() {
		if key != "Account" {
			list = append(list, environment.Word(key))
		}
	}
	for _, part := range environmentLine {
		list = append(list, part.word)
	}
	for _, name := range environmentFlags {
		list = append(list, environment.Word(name))
	}
	return list
}

// readEnvironment takes what the variables say, where the command line does not say it.
func (s *settings) readEnvironment(environ []string) error {
	values, strange, err := environment.Read(environmentPrefix, environ, environmentWords(), environmentOthers)
	if i := slices.IndexFunc(environ, func(e string) bool { return strings.HasPrefix(e, environmentPrefix+"ACCOUNT=") }); i >= 0 {
		err = errors.New(environment.Place(environmentPrefix+"ACCOUNT") + ": hashes of passwords do not belong into the environment; write the line into a file, and its path into " + environmentPrefix + accountFileWord)
	}
	if err != nil {
		return usageError{err}
	}
	s.envStrange = strange
	for _, v := range values {
		if err := s.variable(v); err != nil {
			return usageError{err}
		}
	}
	return s.environmentTarget(values)
}

// variable puts a variable in force that is not part of a line.
func (s *settings) variable(v environment.Value) error {
	for _, name := range environmentFlags {
		if environment.Word(name) == v.Word {
			set, err := environment.SetFlag(s.flags, name, v)
			if set {
				s.envNames = append(s.envNames, v.Name)
			}
			return err
		}
	}
	if v.Word == accountFileWord {
		s.accountFile = v.Text
		s.envNames = append(s.envNames, v.Name)
		return nil
	}
	for _, key := range config.AgentKeys() {
		if environment.Word(key) == v.Word && !s.flagFor(key) {
			s.environmentSays(config.Variable{Name: v.Name, Key: key, Value: v.Text})
		}
	}
	return nil
}

func (s *settings) environmentSays(v config.Variable) {
	s.env = append(s.env, v)
	s.envNames = append(s.envNames, strings.Split(v.Name, ", ")...)
}

// flagFor says that the command line has given what a key stands for.
func (s *settings) flagFor(key string) bool {
	flag := map[string]string{"ActiveClient": "active", "NullAuthPermit": "null-auth", "User": "user"}[key]
	return flag != "" && s.flags.Changed(flag)
}

// environmentTarget makes one ActiveClient line of the variables that are its parts.
func (s *settings) environmentTarget(values []environment.Value) error {
	if s.flagFor("ActiveClient") {
		return nil
	}
	var line, names []string
	for _, part := range environmentLine {
		i := slices.IndexFunc(values, func(v environment.Value) bool { return v.Word == part.word })
		if i < 0 || part.option != "" && part.option != "fanout" && s.flags.Changed("interface") {
			continue
		}
		v := values[i]
		switch {
		case len(names) == 0 && part.word != "SENSOR":
			return usageError{fmt.Errorf("%s: it is part of the line that %sSENSOR=HOST begins; set that too", v.Place(), environmentPrefix)}
		case part.option != "":
			line = append(line, part.option+"="+v.Text)
		default:
			line = append(line, v.Text)
		}
		names = append(names, v.Name)
	}
	if names == nil {
		return nil
	}
	for _, v := range s.env {
		if v.Key == "ActiveClient" {
			return usageError{fmt.Errorf("environment %s and %s: each names sensors; set one of them", names[0], v.Name)}
		}
	}
	s.environmentSays(config.Variable{Name: strings.Join(names, ", "), Key: "ActiveClient", Value: strings.Join(line, ", ")})
	return nil
}

// environmentDials says that the environment names a sensor.
func (s *settings) environmentDials() bool {
	return slices.ContainsFunc(s.env, func(v config.Variable) bool { return v.Key == "ActiveClient" })
}

// accountFileLimit bounds the file of accounts, in bytes: some hundreds of them.
const accountFileLimit = 64 << 10

// variables are those of the environment, with the accounts as their file has them now.
func (s *settings) variables() ([]config.Variable, error) {
	if s.accountFile == "" {
		return s.env, nil
	}
	name := environmentPrefix + accountFileWord
	f, err := os.OpenFile(s.accountFile, os.O_RDONLY|openflag.NoWait, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, accountFileLimit+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > accountFileLimit:
		return nil, fmt.Errorf("%s is larger than %d bytes; write lines as rpcapd passwd prints them", s.accountFile, accountFileLimit)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if key, value, found := strings.Cut(line, "="); found && strings.EqualFold(strings.TrimSpace(key), "Account") { // as rpcapd passwd prints it
			line = value
		}
		lines = append(lines, line)
	}
	return append(slices.Clone(s.env), config.Variable{Name: name, Key: "Account", Value: strings.Join(lines, "\n")}), nil
}

// printEnvironment tells which variables say what.
func (s *settings) printEnvironment(w io.Writer) {
	for _, message := range s.envStrange {
		fmt.Fprintln(w, "warning: "+message)
	}
	for _, v := range s.env {
		fmt.Fprintf(w, "environment %s: %s = %s\n", v.Name, v.Key, strings.ReplaceAll(v.Value, "\n", " | "))
	}
	for _, name := range environmentFlags {
		if v := environmentPrefix + environment.Word(name); slices.Contains(s.envNames, v) {
			fmt.Fprintf(w, "environment %s: --%s %s\n", v, name, s.flags.Lookup(name).Value)
		}
	}
	if s.accountFile != "" {
		fmt.Fprintf(w, "environment %s%s: Account lines of %s\n", environmentPrefix, accountFileWord, s.accountFile)
	}
}
