package capture

import (
	"fmt"
	"sync/atomic"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// sieve filters, cuts and counts what is read from files and streams.
type sieve struct {
	tally
	name    string
	snaplen int
	vm      atomic.Pointer[filter.VM] // nil: keep all
}

// keep cuts a frame; false if the filter refuses it.
func (s *sieve) keep(vm *filter.VM, f *udpstr.Frame) bool {
	keep := len(f.Data)
	if vm != nil {
		if keep = vm.RunBytes(f.Data, f.Len); keep == 0 {
			return false
		}
	}
	n := min(keep, s.snaplen, len(f.Data))
	f.Data = f.Data[:n:n]
	return true
}

func (s *sieve) SetFilter(p filter.Program) error {
	if p.VM == nil && len(p.Kernel) == 0 {
		s.vm.Store(nil)
		return nil
	}
	vm, err := p.Machine()
	if err != nil {
		return fmt.Errorf("set filter on %s: %w", s.name, err)
	}
	s.vm.Store(vm)
	return nil
}

func (s *sieve) Stats() (Stats, error) { return s.sums(), nil }
