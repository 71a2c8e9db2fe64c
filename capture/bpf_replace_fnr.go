//go:build darwin || freebsd

package capture

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func (d *bpfHandle) replace(p []bpf.RawInstruction) error {
	return d.setProgram(unix.BIOCSETFNR, "BIOCSETFNR", p)
}
