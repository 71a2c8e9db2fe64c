package main

import (
	"io"
	"os"

	"go.uber.org/zap"
	"golang.org/x/term"

	"rpcapd/cmd/internal/logger"
)

// newLogger logs to standard error, which is free even when frames go to standard output.
func newLogger(f *logger.Flags, stderr io.Writer) (*zap.Logger, error) {
	level, err := f.Parse()
	if err != nil {
		return nil, err
	}
	return zap.New(f.Core("rpcap-sensor", stderr, level)), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
