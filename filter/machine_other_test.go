//go:build !linux

package filter

import (
	"testing"

	"golang.org/x/net/bpf"
)

func kernelMachine(testing.TB, []bpf.RawInstruction) func([]byte) int { return nil }
