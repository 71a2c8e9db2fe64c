package filter

import (
	"errors"

	"rpcapd/rpcap"
)

var ErrLinkType = errors.New("own traffic cannot be recognised on this link type")
var ErrKernelOnly = errors.New("program needs the kernel")

const opRetK = 6

func Validate(p rpcap.Program) error { return nil }

func Compose(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (Program, error) {
	return Program{}, errors.ErrUnsupported
}

func UserSpace(linkType uint32, ex Exclusion, p rpcap.Program, snaplen uint32) (Program, error) {
	return Program{}, errors.ErrUnsupported
}

func (p Program) Machine() (*VM, error) { return nil, errors.ErrUnsupported }

type VM struct{}

type VLAN struct {
	Present   bool
	TCI, TPID uint16
}

func (v *VM) Run(frame []byte, wireLen uint32) (keep int) { return 0 }

func (v *VM) RunTagged(frame []byte, wireLen uint32, tag VLAN) (keep int) { return 0 }
