//go:build !unix && !windows

package main

import (
	"errors"
	"fmt"
	"runtime"
)

func detach() error {
	return fmt.Errorf("start in the background: %w on %s; let a service manager run rpcapd without -d", errors.ErrUnsupported, runtime.GOOS)
}
