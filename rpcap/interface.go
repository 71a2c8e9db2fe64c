package rpcap

import (
	"encoding/binary"
	"strings"
)

// InterfaceFlags is the flag word of the capture library.
type InterfaceFlags uint32

// The flags. A sensor must not require any: old libraries set few of them.
const (
	InterfaceLoopback InterfaceFlags = 0x01
	InterfaceUp       InterfaceFlags = 0x02
	InterfaceRunning  InterfaceFlags = 0x04
	InterfaceWireless InterfaceFlags = 0x08

	InterfaceStatusMask    InterfaceFlags = 0x30
	InterfaceConnected     InterfaceFlags = 0x10
	InterfaceDisconnected  InterfaceFlags = 0x20
	InterfaceNotApplicable InterfaceFlags = 0x30
)

const (
	interfaceFixed = 12
	addressLen     = 4 * addressBlockLen
	// maxDescription is how much of a description PreselectedMark leaves, in bytes.
	maxDescription = 240
)

// PreselectedMark at the end of a description says that the agent's configuration
// chose this interface.
const PreselectedMark = ";preselected"

// Address is one address of an interface with what belongs to it; parts that do not
// exist are zero blocks.
type Address struct{ Addr, Netmask, Broadcast, Peer AddressBlock }

// Interface is one entry of an interface list.
type Interface struct {
	Name        string // at most 65,535 bytes; old clients take 1,024
	Description string // likewise
	Flags       InterfaceFlags
	Addresses   []Address // at most 65,535
}

// Preselected says whether the agent marked the interface.
func (i *Interface) Preselected() bool { return strings.HasSuffix(i.Description, PreselectedMark) }

// Size is the length of the encoded entry in bytes.
func (i *Interface) Size() int {
	return interfaceFixed + min(len(i.Name), 65535) + min(len(i.Description), 65535) + addressLen*min(len(i.Addresses), 65535)
}

func (i *Interface) append(dst []byte) []byte {
	name := i.Name[:min(len(i.Name), 65535)]
	desc := i.Description[:min(len(i.Description), 65535)]
	addrs := i.Addresses[:min(len(i.Addresses), 65535)]
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(name)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(desc)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(i.Flags))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(addrs)))
	dst = append(dst, 0, 0)
	dst = append(append(dst, name...), desc...)
	for j := range addrs {
		a := &addrs[j]
		dst = append(append(dst, a.Addr[:]...), a.Netmask[:]...)
		dst = append(append(dst, a.Broadcast[:]...), a.Peer[:]...)
	}
	return dst
}

// entryLen returns the bytes of the entry at the start of b, an error if b does not
// hold it whole.
func entryLen(b []byte) (int, error) {
	if len(b) < interfaceFixed {
		return 0, short("interface", len(b), interfaceFixed)
	}
	n := interfaceFixed + int(binary.BigEndian.Uint16(b)) + int(binary.BigEndian.Uint16(b[2:])) +
		addressLen*int(binary.BigEndian.Uint16(b[8:]))
	if len(b) < n {
		return 0, short("interface", len(b), n)
	}
	return n, nil
}

// decodeEntry decodes an entry that entryLen has measured.
func decodeEntry(b []byte) Interface {
	name := interfaceFixed + int(binary.BigEndian.Uint16(b))
	desc := name + int(binary.BigEndian.Uint16(b[2:]))
	i := Interface{
		Name:        string(b[interfaceFixed:name]),
		Description: string(b[name:desc]),
		Flags:       InterfaceFlags(binary.BigEndian.Uint32(b[4:])),
	}
	if n := int(binary.BigEndian.Uint16(b[8:])); n > 0 {
		i.Addresses = make([]Address, n)
		for j := range i.Addresses {
			a, c := &i.Addresses[j], b[desc+addressLen*j:]
			copy(a.Addr[:], c)
			copy(a.Netmask[:], c[addressBlockLen:])
			copy(a.Broadcast[:], c[2*addressBlockLen:])
			copy(a.Peer[:], c[3*addressBlockLen:])
		}
	}
	return i
}
