//go:build !unix

package main

import (
	"errors"
	"fmt"
	"os"
)

var (
	stopSignals   = []os.Signal{os.Interrupt}
	reloadSignals []os.Signal // there is none; restart to read the ini again
)

func ignoreBrokenPipe() {}

func sendReload(int) error {
	return fmt.Errorf("there is no signal for it on this system, restart the agent: %w", errors.ErrUnsupported)
}
