package capture

import "golang.org/x/sys/unix"

// bothDirections: the directions that this filter has are left out.
func (d *bpfHandle) bothDirections() error {
	return d.setNumber(unix.BIOCSDIRFILT, "BIOCSDIRFILT", 0)
}
