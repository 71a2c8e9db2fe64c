//go:build dragonfly || freebsd || netbsd || openbsd

package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// linkTypes asks for the link types of the interface (struct bpf_dltlist).
func (d *bpfHandle) linkTypes(types *[64]uint32) (uint32, error) {
	list := struct {
		length uint32
		list   *uint32
	}{uint32(len(types)), &types[0]}
	err := d.ioctl(unix.BIOCGDLTLIST, "BIOCGDLTLIST", unsafe.Pointer(&list))
	return list.length, err
}
