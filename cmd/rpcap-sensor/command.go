package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/term"

	"rpcapd/cmd/internal/logger"
	"rpcapd/printable"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// printableLines is a text of several lines, such as the mistakes of a file, fit for a terminal.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable.Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

func noArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasParent():
		return usageError{fmt.Errorf("argument %q is not understood: %s takes none", args[0], cmd.Name())}
	}
	return usageError{fmt.Errorf("argument %q is neither a command nor a flag; a filter goes into --filter", args[0])}
}

// newLogger logs to standard error, which is free even when frames go to standard output.
func newLogger(f *logger.Flags, stderr io.Writer) (*zap.Logger, error) {
	level, err := f.Parse()
	if err != nil {
		return nil, err
	}
	return zap.New(f.Core("rpcap-sensor", stderr, level)), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
