//go:build !unix

package main

import (
	"errors"
	"fmt"
	"runtime"
)

func openSyslog() (syslogWriter, error) {
	return nil, fmt.Errorf("%s has none: %w", runtime.GOOS, errors.ErrUnsupported)
}
