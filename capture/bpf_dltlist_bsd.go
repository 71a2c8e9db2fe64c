//go:build dragonfly || freebsd || netbsd || openbsd

package capture

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// bpfDLTList is struct bpf_dltlist.
type bpfDLTList struct {
	length uint32
	list   *uint32
}

// dltListLen is its size.
const dltListLen = unsafe.Sizeof(bpfDLTList{})

// linkTypes asks for the link types of the interface.
func (d *bpfHandle) linkTypes(types *[64]uint32) (uint32, error) {
	list := bpfDLTList{uint32(len(types)), &types[0]}
	err := d.ioctl(unix.BIOCGDLTLIST, "BIOCGDLTLIST", unsafe.Pointer(&list))
	return list.length, err
}
