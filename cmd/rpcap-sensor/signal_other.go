//go:build !unix

package main

import "os"

var (
	stopSignals   = []os.Signal{os.Interrupt}
	reportSignals []os.Signal // there is none; the summary comes at the end
	reloadSignals []os.Signal // there is none; a changed file is noticed
)

func ignoreBrokenPipe() {}
