//go:build dragonfly || netbsd || openbsd

package capture

import (
	"errors"

	"golang.org/x/net/bpf"
)

// replace: these kernels have no BIOCSETFNR, or only in their newest versions, and BIOCSETF empties the buffers.
func (d *bpfHandle) replace([]bpf.RawInstruction) error { return errors.ErrUnsupported }
