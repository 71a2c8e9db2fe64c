//go:build !windows

package agent

import (
	"os"

	"rpcapd/openflag"
)

// openShared opens a file for reading; whoever wants to replace it can.
func openShared(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|openflag.NoWait|openflag.NoFollow, 0)
}

// patiently does something once.
func patiently(do func() error) error { return do() }
