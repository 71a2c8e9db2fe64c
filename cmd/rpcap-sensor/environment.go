package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/environment"
)

// environmentPrefix begins the names of the variables that set flags: RPCAP_SENSOR_LOG_LEVEL is --log-level.
const environmentPrefix = "RPCAP_SENSOR_"

// environmentFlags are the flags that variables set: all of them.
func environmentFlags(f *pflag.FlagSet) (words []string, flags map[string]string) {
	flags = make(map[string]string)
	f.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			flags[environment.Word(f.Name)] = f.Name
			words = append(words, environment.Word(f.Name))
		}
	})
	return words, flags
}

// readEnvironment gives flags that the command line does not have the values of variables.
func (s *settings) readEnvironment(environ []string) error {
	words, flags := environmentFlags(s.flags)
	values, strange, err := environment.Read(environmentPrefix, environ, words, nil)
	if slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, environmentPrefix+"PASSWORD=") }) {
		err = errors.New(environment.Place(environmentPrefix+"PASSWORD") + ": a password does not belong into the environment; write it into a file, and its path into " + environmentPrefix + "PASSWORD_FILE")
	}
	if err != nil {
		return usageError{err}
	}
	s.envStrange = strange
	for _, v := range values {
		set, err := environment.SetFlag(s.flags, flags[v.Word], v)
		if err != nil {
			return usageError{err}
		}
		if set {
			s.env = append(s.env, v)
		}
	}
	return nil
}

// given is how a message names what has set a flag.
func (s *settings) given(flag string) string {
	for _, v := range s.env {
		if v.Word == environment.Word(flag) {
			return v.Place()
		}
	}
	return "--" + flag
}

// printEnvironment tells which flags variables set.
func (s *settings) printEnvironment(w io.Writer) error {
	for _, message := range s.envStrange {
		if _, err := fmt.Fprintln(w, "warning: "+message); err != nil {
			return err
		}
	}
	_, flags := environmentFlags(s.flags)
	for _, v := range s.env {
		if _, err := fmt.Fprintf(w, "%s: --%s %s\n", v.Place(), flags[v.Word], strings.ReplaceAll(v.Text, "\n", ", ")); err != nil {
			return err
		}
	}
	return nil
}
