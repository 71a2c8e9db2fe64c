package sink

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"rpcapd/savefile"
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

type selectedSink struct {
	Sink
	selector *Selector
	maxFrame int // 0: no limit
	cut      atomic.Uint64
}

// Status is the wrapped sink's, and how many frames were cut for it.
func (s *selectedSink) Status() (st Status) {
	if k, ok := s.Sink.(interface{ Status() Status }); ok {
		st = k.Status()
	}
	if n := s.cut.Load(); s.maxFrame > 0 {
		st.Details = append(slices.Clip(st.Details),
			Detail{Name: "largest frame", Text: fmt.Sprintf("%d bytes", s.maxFrame)},
			Detail{Name: "frames cut", Text: strconv.FormatUint(n, 10), Number: n, Numeric: true, Total: true})
	}
	return st
}

// Close closes the selector, and the wrapped sink if that can be closed.
func (s *selectedSink) Close() error {
	s.selector.Close()
	if k, ok := s.Sink.(interface{ Close() error }); ok {
		return k.Close()
	}
	return nil
}

// Run implements Sink.
func (s *selectedSink) Run(ctx context.Context) error {
	err := s.Sink.Run(ctx)
	if ctx.Err() != nil {
		s.selector.Close()
	}
	return err
}

// Attach implements Sink. A source that is not wanted never reaches the wrapped sink; one whose filter was refused does when
// a frame has passed it.
func (s *selectedSink) Attach(src Source) Feed {
	f := &selectedFeed{sink: s, source: src, matches: s.selector.Matches(src)}
	if f.matches && s.selector.usable(savefile.FromDLT(src.LinkType)) {
		f.attach()
	}
	return f
}

// Select returns a sink that passes on to k what the selection wants; the rest is counted as left out. It compiles the
// filter, see Compile. The status of k, if it has one, stays to be seen.
func Select(ctx context.Context, s Selection, k Sink) (Sink, error) {
	if s.Everything() {
		return k, nil
	}
	sel, err := s.Compile(ctx)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", k.Name(), err)
	}
	return &selectedSink{Sink: k, selector: sel, maxFrame: s.MaxFrame}, nil
}
