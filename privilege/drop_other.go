//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

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

// HowToCapture says what an operator does about a missing right to capture.
func HowToCapture(string) string { return "start rpcapd with the rights of an administrator" }
