//go:build !unix && !windows

package agent

import (
	"errors"
	"fmt"
	"io"
)

// HoldIni takes nothing where there are no locks.
func HoldIni(string) (io.Closer, error) {
	return nil, fmt.Errorf("lock ini: %w", errors.ErrUnsupported)
}
