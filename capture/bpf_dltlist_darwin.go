package capture

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dltListLen is the size of struct bpf_dltlist.
const dltListLen = 12

// linkTypes asks for the link types of the interface. macOS packs struct bpf_dltlist to four bytes, so that its pointer is
// at 4, where Go has none.
func (d *bpfHandle) linkTypes(types *[64]uint32) (uint32, error) {
	var pin runtime.Pinner
	pin.Pin(types)
	defer pin.Unpin()
	var list [dltListLen]byte
	binary.NativeEndian.PutUint32(list[:], uint32(len(types)))
	binary.NativeEndian.PutUint64(list[4:], uint64(uintptr(unsafe.Pointer(types))))
	err := d.ioctl(unix.BIOCGDLTLIST, "BIOCGDLTLIST", unsafe.Pointer(&list))
	return binary.NativeEndian.Uint32(list[:]), err
}
