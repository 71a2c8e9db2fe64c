//go:build !linux

package netlab

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

var reason = Enter()

// Inside says whether the process runs in namespaces of its own: only Linux has them.
func Inside() bool { return false }

// Main runs the tests; those that call Require skip.
func Main(m *testing.M) { os.Exit(m.Run()) }

// Enter fails: only Linux has network namespaces.
func Enter() error { return fmt.Errorf("make network namespaces: %w", errors.ErrUnsupported) }
