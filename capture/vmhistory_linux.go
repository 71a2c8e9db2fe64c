package capture

import (
	"sync"

	"rpcapd/filter"
)

// vmHistory says which user-space program judges the frames of a block.
//
// When the kernel's program changes, blocks that are full or being filled hold
// frames that only the old one has seen. If a new user-space program comes with it,
// that one may judge them too: what it refuses, the new filter refuses. If the new
// filter runs in the kernel alone, they need the old user-space program, or frames
// would appear that neither filter accepts.
type vmHistory struct {
	mu    sync.Mutex
	now   *filter.VM
	old   *filter.VM // judges blocks up to until, if now is nil
	until uint64     // sequence number of a block
}

// at returns the program for a block, or nil to keep all.
func (h *vmHistory) at(block uint64) *filter.VM {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil && h.old != nil {
		if block <= h.until {
			return h.old
		}
		h.old = nil
	}
	return h.now
}

// change is called right after the kernel's program was replaced, under mu. One
// block more than the newest keeps the old program: a frame that another CPU had
// accepted before the change may be written after it.
func (h *vmHistory) change(vm *filter.VM, newest func() uint64) {
	if vm == nil && h.now != nil {
		h.old, h.until = h.now, newest()+1
	}
	h.now = vm
}
