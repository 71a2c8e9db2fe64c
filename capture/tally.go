package capture

import (
	"sync/atomic"

	"rpcapd/udpstr"
)

// tally counts the frames of a source. Any goroutine may read it.
type tally struct{ delivered, bytes, refused atomic.Uint64 }

// count notes what Next returns.
func (t *tally) count(frames []udpstr.Frame) {
	var bytes uint64
	for i := range frames {
		bytes += uint64(len(frames[i].Data))
	}
	t.delivered.Add(uint64(len(frames)))
	t.bytes.Add(bytes)
}

// sums has no drops in it.
func (t *tally) sums() Stats {
	st := Stats{Delivered: t.delivered.Load(), Bytes: t.bytes.Load(), Refused: t.refused.Load()}
	st.Received = st.Delivered + st.Refused
	return st
}
