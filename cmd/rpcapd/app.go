package main

import (
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitAbsent = 3 // no agent runs; as init scripts have it (LSB, status)
	exitUnused = 4 // setup: all is written, but a sensor cannot be used now
)

// app is what the commands share: the streams, and what tests replace.
type app struct {
	in          *os.File
	out, err    io.Writer
	defaultFile string
	parent      *parent  // waits for the start, if this process is in the background
	control     *control // who tells a running agent what to do; nil: signals
	service     bool     // the service manager of Windows runs this process, which has no console
	serve       func(*settings) error
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError{fmt.Errorf("argument %q is not understood; did you mean rpcapd %s?", args[0], near[0])}
	}
	if cmd.Flags().Lookup("file") != nil {
		return usageError{fmt.Errorf("argument %q is not understood; a file is named with -f", args[0])}
	}
	return usageError{fmt.Errorf("argument %q is not understood", args[0])}
}

// fallbackUsers are tried in turn when the agent is started as root and no user is named.
var fallbackUsers = usersOf(runtime.GOOS)

// usersOf names the service's user as the system does: those of macOS, NetBSD and OpenBSD begin with an underscore.
func usersOf(system string) []string {
	switch system {
	case "darwin", "netbsd", "openbsd":
		return []string{"_rpcapd", "rpcapd", "nobody"}
	}
	return []string{"rpcapd", "nobody"}
}
