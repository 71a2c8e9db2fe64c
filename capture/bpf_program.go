package capture

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"

	"rpcapd/filter"
)

// bpfInstructions is the longest program that a kernel of the BSDs or macOS takes (BPF_MAXINSNS).
const bpfInstructions = 512

// familyLen is the length of the address family in front of a packet on loopback and tunnels.
const familyLen = 4

// bpfAcceptAll is the program of a device whose frames are judged here. The kernel's part cannot cut: the program here may
// look anywhere.
func bpfAcceptAll() []bpf.RawInstruction {
	const retK = 0x06
	return []bpf.RawInstruction{{Op: retK, K: MaxSnaplen + familyLen}}
}

// divideBPF divides the work between the kernel and this process. Everything runs here where the kernel would see
// other offsets (the address family in front of the packet), would refuse every frame (it has no VLAN tag beside the
// frame), or does not take so long a program.
func divideBPF(p filter.Program, strip int) ([]bpf.RawInstruction, judge, error) {
	if len(p.Kernel) == 0 {
		return nil, judge{}, errors.New("no filter program")
	}
	beside := p.LinuxOnly()
	if strip == 0 && !beside && len(p.Kernel) <= bpfInstructions {
		return p.Kernel, judge{vm: p.VM}, nil
	}
	vm, err := p.Machine()
	if err != nil {
		return nil, judge{}, fmt.Errorf("filter: %w", err)
	}
	return bpfAcceptAll(), judge{vm: vm, tags: beside, strip: strip}, nil
}

// dltNumbers are the link types of a system that have other numbers elsewhere.
type dltNumbers struct{ null, ethernet, raw, loop uint32 }

// bpfLink is the link type that a device is set to.
type bpfLink struct {
	dlt      uint32 // in the system's numbers
	linkType uint32 // that the frames have when they leave this package
	strip    int
}

// chooseLink takes the best of the link types that a device offers: Ethernet, raw IP, and else one with an address family in
// front of the packet, which is taken away.
func chooseLink(n dltNumbers, current uint32, offered []uint32) (bpfLink, error) {
	choices := []bpfLink{
		{dlt: n.ethernet, linkType: LinkTypeEthernet},
		{dlt: n.raw, linkType: LinkTypeRaw},
		{dlt: n.loop, linkType: LinkTypeRaw, strip: familyLen},
		{dlt: n.null, linkType: LinkTypeRaw, strip: familyLen},
	}
	for _, c := range choices {
		for _, dlt := range append([]uint32{current}, offered...) {
			if dlt == c.dlt {
				return c, nil
			}
		}
	}
	return bpfLink{}, fmt.Errorf("link type %d of this system: %w", current, ErrLinkType)
}
