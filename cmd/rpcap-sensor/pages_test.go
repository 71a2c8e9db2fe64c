package main

import (
	"os"
	"testing"

	"rpcapd/packaging/page"
)

// TestDocumentedCommands: each command line of the sensor in the documentation has commands, flags, and values that exist.
func TestDocumentedCommands(t *testing.T) {
	pages, err := page.All("../..")
	if err != nil {
		t.Fatal(err)
	}
	commands, err := page.CommandsOf(pages, "rpcap-sensor")
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) < 10 {
		t.Errorf("only %d command lines were found", len(commands))
	}
	for _, c := range commands {
		if err := understand(c.Words); err != nil {
			t.Errorf("%s: rpcap-sensor %q: %v", c.Where(), c.Words, err)
		}
	}
}

// TestUnderstandBites: a word that does not exist is found.
func TestUnderstandBites(t *testing.T) {
	for _, wrong := range [][]string{{"chek"}, {"capture", "--cuont", "5"}, {"version", "now"}, {"-C", "much"}, {"passwd"}} {
		if understand(wrong) == nil {
			t.Errorf("rpcap-sensor %q is understood", wrong)
		}
	}
}

// understand reads a command line as the program does, and runs nothing.
func understand(words []string) error {
	cmd, rest, err := newCommand(os.Stdout, os.Stderr).Find(words)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}
