//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

var (
	stopSignals   = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} // SIGHUP: the terminal is gone
	reportSignals = []os.Signal{syscall.SIGUSR1}
)

// ignoreBrokenPipe makes a write to a closed pipe an error, which ends the sensor in order, instead of its death.
func ignoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
