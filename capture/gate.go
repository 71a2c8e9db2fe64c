package capture

import "sync/atomic"

// gate lets any goroutine close a source and frees nothing under the reader: what the
// reader works with is freed by whoever comes last, Close or the reader.
type gate struct{ state atomic.Uint32 }

const (
	gateReading = 1 << iota // the reader is inside Next, or has a lease
	gateClosed
)

// enter is the reader's; false: the source is closed.
func (g *gate) enter() bool { return g.state.CompareAndSwap(0, gateReading) }

// inside is the reader's: it is inside Next, or has a lease. Else the source may be freed meanwhile.
func (g *gate) inside() bool { return g.state.Load()&gateReading != 0 }

// leave is the reader's. free: the source was closed meanwhile, and the reader frees it.
func (g *gate) leave() (free bool) {
	return !g.state.CompareAndSwap(gateReading, 0) && g.state.CompareAndSwap(gateReading|gateClosed, gateClosed)
}

// close says whether this is the first call, and whether the caller frees the source.
func (g *gate) close() (first, free bool) {
	old := g.state.Or(gateClosed)
	return old&gateClosed == 0, old == 0
}

// closed says whether Close was called.
func (g *gate) closed() bool { return g.state.Load()&gateClosed != 0 }
