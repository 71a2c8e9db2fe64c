package iface

import (
	"cmp"
	"slices"
)

// order sorts interfaces as the capture library does: by a figure of merit whose
// smallest value comes first, keeping the kernel's order among equals.
func order(list []Interface) {
	slices.SortStableFunc(list, func(a, b Interface) int {
		return cmp.Compare(demerit(a.Flags), demerit(b.Flags))
	})
}

// demerit weighs, heaviest first, what makes an interface a poor choice to
// capture on. A wireless interface that is not associated still hears frames, so
// its connection status does not count.
func demerit(f Flags) int {
	d := 0
	if !f.Has(Running) {
		d |= 8
	}
	if !f.Has(Up) {
		d |= 4
	}
	if !f.Has(Wireless) && f.Status() == Disconnected {
		d |= 2
	}
	if f.Has(Loopback) {
		d |= 1
	}
	return d
}
