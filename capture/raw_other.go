//go:build !windows

package capture

import (
	"errors"
	"fmt"
)

// OpenRaw captures IP packets without a capture driver; only on Windows, elsewhere errors.ErrUnsupported.
func OpenRaw(o Options) (Source, error) {
	return nil, opError("open", o.Interface, fmt.Errorf("capture by raw IP sockets: %w", errors.ErrUnsupported))
}
