//go:build !linux

package privilege

import (
	"errors"
	"fmt"
	"os"
)

// Drop is for Linux: elsewhere the right to capture is not a capability, and the
// service manager or the rights of the capture device decide.
func Drop(name string, _ ...string) (Result, error) {
	if name != "" {
		return Result{}, fmt.Errorf("drop privileges to user %q: %w", name, errors.ErrUnsupported)
	}
	return Result{UID: os.Geteuid(), NetRaw: true}, nil
}
