//go:build !unix

package main

import (
	"os"
	"syscall"
)

var (
	stopSignals   = []os.Signal{os.Interrupt, syscall.SIGTERM} // Windows: Ctrl-C and Ctrl-Break; closing the window, logoff and shutdown
	reloadSignals []os.Signal                                  // there is none
)

func ignoreBrokenPipe() {}
