package capture

import (
	"fmt"
	"sync/atomic"

	"rpcapd/filter"
	"rpcapd/udpstr"
)

// sieve filters, cuts and counts what is read from files and streams.
type sieve struct {
	name                      string
	snaplen                   int
	tagsInBytes               bool                      // for the filter too; false: it finds the outer VLAN tag beside them, as on Linux
	vm                        atomic.Pointer[filter.VM] // nil: keep all
	delivered, bytes, refused atomic.Uint64
}

// keep cuts a frame; false if the filter refuses it.
func (s *sieve) keep(vm *filter.VM, f *udpstr.Frame) bool {
	keep := len(f.Data)
	if vm != nil {
		if s.tagsInBytes {
			keep = vm.Run(f.Data, f.Len)
		} else {
			keep = vm.RunBytes(f.Data, f.Len)
		}
		if keep == 0 {
			return false
		}
	}
	n := min(keep, s.snaplen, len(f.Data))
	f.Data = f.Data[:n:n]
	return true
}

// count notes what Next returns.
func (s *sieve) count(frames []udpstr.Frame) {
	var bytes uint64
	for i := range frames {
		bytes += uint64(len(frames[i].Data))
	}
	s.delivered.Add(uint64(len(frames)))
	s.bytes.Add(bytes)
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

func (s *sieve) Stats() (Stats, error) {
	st := Stats{Delivered: s.delivered.Load(), Bytes: s.bytes.Load(), Refused: s.refused.Load()}
	st.Received = st.Delivered + st.Refused
	return st, nil
}
