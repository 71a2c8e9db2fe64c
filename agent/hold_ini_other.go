//go:build !unix

package agent

import (
	"errors"
	"os"
)

// ErrIniTaken says that another agent runs with an ini.
var ErrIniTaken = errors.New("another agent uses it")

// HoldIni takes nothing where POSIX locks do not exist.
func HoldIni(string) (*os.File, error) { return nil, nil }
