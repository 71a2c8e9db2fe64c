package capture

import (
	"fmt"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// judge is what is left to do here with the frames of a device. The zero value keeps them as they are.
type judge struct {
	vm *filter.VM // nil: keep all
	// The program finds the outer VLAN tag beside a frame, as on Linux; the device has it in the bytes.
	tags bool
	// The device runs the program too, and vm does it again, for what arrived before. What the device has cut has passed
	// its program, which may look beyond the cut: then only rest is run, which the device does not have; nil: nothing is.
	again bool
	rest  *filter.VM
	// strip is how many bytes in front of an IP header are taken away (see familyLen).
	strip int
}

// machineOf runs all of a filter; nil keeps all frames.
func machineOf(p filter.Program) (*filter.VM, error) {
	if p.VM == nil && len(p.Kernel) == 0 {
		return nil, nil
	}
	vm, err := p.Machine()
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return vm, nil
}

// keep asks the program how many bytes of the frame are kept, 0 for none.
func (j *judge) keep(f *udpstr.Frame) int {
	vm := j.vm
	if j.again && uint32(len(f.Data)) < f.Len {
		vm = j.rest
	}
	switch {
	case vm == nil:
		return len(f.Data)
	case j.tags:
		return vm.RunBytes(f.Data, f.Len)
	}
	return vm.Run(f.Data, f.Len)
}

// present makes a frame what Next returns; false if one of the judges, who agree on what to strip, refuses it.
func present(f *udpstr.Frame, judges []judge, snaplen uint32) bool {
	if n := judges[0].strip; n > 0 && !stripFamily(f, n) {
		return false
	}
	n := min(len(f.Data), int(snaplen))
	for i := range judges {
		kept := judges[i].keep(f)
		if kept == 0 {
			return false
		}
		n = min(n, kept)
	}
	f.Data = f.Data[:n:n]
	return true
}

// stripFamily takes away the address family in front of an IP packet (DLT_NULL and DLT_LOOP, which differ in its byte
// order, and between systems in the number of IPv6). What is left must be an IP packet; its first four bits say so.
func stripFamily(f *udpstr.Frame, n int) bool {
	if len(f.Data) <= n {
		return false
	}
	f.Data, f.Len = f.Data[n:], f.Len-uint32(n)
	version := f.Data[0] >> 4
	return version == 4 || version == 6
}
