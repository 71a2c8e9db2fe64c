//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

var (
	stopSignals   = []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	reportSignals = []os.Signal{syscall.SIGUSR1}
	reloadSignals = []os.Signal{syscall.SIGHUP} // without a file: the terminal is gone, the sensor stops
)

// ignoreBrokenPipe makes a write to a closed pipe an error, which ends the sensor in order, instead of its death.
func ignoreBrokenPipe() { signal.Ignore(syscall.SIGPIPE) }
