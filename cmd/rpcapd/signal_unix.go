//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

var (
	stopSignals   = []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	reloadSignals = []os.Signal{syscall.SIGHUP}
)

// ignoreBrokenPipe keeps the agent alive when nobody reads its standard error any more.
func ignoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
