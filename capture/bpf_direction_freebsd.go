package capture

import "golang.org/x/sys/unix"

// bothDirections: BPF_D_INOUT.
func (d *bpfHandle) bothDirections() error {
	const inAndOut = 1
	return d.setNumber(unix.BIOCSDIRECTION, "BIOCSDIRECTION", inAndOut)
}
