//go:build !linux

package tap

import (
	"errors"
	"fmt"
)

func openDevice(o *Options) (device, error) {
	return nil, fmt.Errorf("make TAP interface %s: only on Linux: %w", o.Interface, errors.ErrUnsupported)
}
