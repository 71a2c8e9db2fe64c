package sink

import (
	"sync/atomic"

	"rpcapd/udpstr"
)

// selectedFeed passes on the frames that a selection wants.
type selectedFeed struct {
	sink    *selectedSink
	source  Source
	matches bool                 // the source is one of those selected
	feed    atomic.Pointer[Feed] // nil: nothing of it can be wanted, or not yet
	leftOut atomic.Uint64
}

// attach announces the source to the wrapped sink.
func (f *selectedFeed) attach() *Feed {
	feed := f.sink.Sink.Attach(f.source)
	f.feed.Store(&feed)
	return &feed
}

// Frames implements BatchFeed: frames that are wanted stay together up to the next one that is not.
func (f *selectedFeed) Frames(batch []udpstr.Packet) {
	if f.feed.Load() == nil || f.sink.maxFrame > 0 {
		for i := range batch {
			f.Frame(&batch[i])
		}
		return
	}
	feed := *f.feed.Load()
	from := 0
	for i := range batch {
		if f.wants(&batch[i]) {
			continue
		}
		f.leftOut.Add(1)
		if from < i {
			Frames(feed, batch[from:i])
		}
		from = i + 1
	}
	if from < len(batch) {
		Frames(feed, batch[from:])
	}
}

func (f *selectedFeed) wants(p *udpstr.Packet) bool {
	return f.matches && f.sink.selector.Frame(f.source.LinkType, p)
}

// Frame implements Feed.
func (f *selectedFeed) Frame(p *udpstr.Packet) {
	if !f.wants(p) {
		f.leftOut.Add(1)
		return
	}
	feed := f.feed.Load()
	if feed == nil {
		feed = f.attach() // the filter was refused when the stream began, and is not any more
	}
	if most := f.sink.maxFrame; most > 0 && len(p.Data) > most {
		whole := p.Data // the next sink gets all of it
		p.Data = whole[:most]
		defer func() { p.Data = whole }()
		f.sink.cut.Add(1)
	}
	(*feed).Frame(p)
}

// Counters implements Feed.
func (f *selectedFeed) Counters() Counters {
	var c Counters
	if feed := f.feed.Load(); feed != nil {
		c = (*feed).Counters()
	}
	c.LeftOut += f.leftOut.Load()
	return c
}

// Detach implements Feed.
func (f *selectedFeed) Detach(sum Forwarded) {
	if feed := f.feed.Load(); feed != nil {
		(*feed).Detach(sum)
	}
}
