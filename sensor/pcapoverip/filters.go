package pcapoverip

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/tcpdump"
)

// compileTimeout bounds all that a client waits for its filter: for its turn, for a place and for tcpdump, each run of which
// has a limit of its own.
const compileTimeout = 20 * time.Second

// Filters compiles what clients ask for. The sinks of one sensor share one, so that the number of clients, sinks and
// connections does not matter to what tcpdump costs: see tcpdump.NewLimited. Of one address one filter is compiled at a time,
// so that one that asks again and again leaves a place to others.
type Filters struct {
	compiler *tcpdump.Compiler

	mu    sync.Mutex // a leaf
	turns map[netip.Addr]*turn
}

// turn is held by the one client of an address whose filter is compiled.
type turn struct {
	held   chan struct{} // capacity 1
	wanted int           // by how many; guarded by Filters.mu
}

// NewFilters starts nothing.
func NewFilters() *Filters {
	return &Filters{compiler: tcpdump.NewLimited(), turns: make(map[netip.Addr]*turn)}
}

// compile makes a selection ready for the link types that there are. It ends early when ctx does, with its cause.
func (f *Filters) compile(ctx context.Context, of netip.Addr, sel sink.Selection, linkTypes []uint32) (*sink.Selector, error) {
	of = turnOf(of)
	t := f.want(of)
	defer f.leave(of, t)
	bounded, cancel := context.WithTimeoutCause(ctx, compileTimeout, fmt.Errorf("the filter was not compiled within %v, because others are, or it is long; "+
		"try again, and write networks instead of many hosts, and addresses instead of names", compileTimeout))
	defer cancel()
	select {
	case t.held <- struct{}{}:
		defer func() { <-t.held }()
	case <-bounded.Done():
		return nil, context.Cause(bounded)
	}
	return sel.CompileWith(bounded, f.compiler, linkTypes)
}

// turnOf is what counts as one client: of IPv6 a machine has its whole network.
func turnOf(a netip.Addr) netip.Addr {
	if a = a.WithZone("").Unmap(); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

func (f *Filters) want(of netip.Addr) *turn {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.turns[of]
	if t == nil {
		t = &turn{held: make(chan struct{}, 1)}
		f.turns[of] = t
	}
	t.wanted++
	return t
}

func (f *Filters) leave(of netip.Addr, t *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.wanted--; t.wanted == 0 {
		delete(f.turns, of)
	}
}
