package main

import (
	"github.com/spf13/pflag"
)

// groups defines the flags. The letters are those of the C agent, whose command
// lines keep their meaning.
func (s *settings) groups() []flagGroup {
	var list []flagGroup
	group := func(title string) *pflag.FlagSet {
		f := pflag.NewFlagSet(title, pflag.ContinueOnError)
		f.SortFlags = false
		list = append(list, flagGroup{title, f})
		return f
	}
	s.defineSensors(group("Sensors and their permissions"))
	s.defineCapture(group("Capturing"))
	s.defineSending(group("Sending"))
	s.defineRunning(group("Running"))
	s.defineInert(group("Accepted without effect"))
	refuseFlags(group(""))
	return list
}
