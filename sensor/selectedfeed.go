package sensor

import (
	"sync/atomic"

	"rpcapd/udpstr"
)

// selectedFeed passes on the frames that a selection wants.
type selectedFeed struct {
	selector *Selector
	linkType uint32
	feed     Feed // nil: the source is not wanted at all
	leftOut  atomic.Uint64
}

// Frame implements Feed.
func (f *selectedFeed) Frame(p *udpstr.Packet) {
	if f.feed == nil || !f.selector.Frame(f.linkType, p) {
		f.leftOut.Add(1)
		return
	}
	f.feed.Frame(p)
}

// Counters implements Feed.
func (f *selectedFeed) Counters() FeedCounters {
	var c FeedCounters
	if f.feed != nil {
		c = f.feed.Counters()
	}
	c.LeftOut += f.leftOut.Load()
	return c
}

// Detach implements Feed.
func (f *selectedFeed) Detach(sum Forwarded) {
	if f.feed != nil {
		f.feed.Detach(sum)
	}
}
