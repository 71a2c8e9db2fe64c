//go:build !linux

package main

import (
	"errors"
	"fmt"
)

// tuned are the options that tune serves.
var tuned []string

// tune is for Linux.
func tune(cpu, nice int) error {
	if cpu == cpuAny && nice == 0 {
		return nil
	}
	return fmt.Errorf("bind to a CPU or set a nice value: %w", errors.ErrUnsupported)
}
