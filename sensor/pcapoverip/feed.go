package pcapoverip

import (
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// Attach implements sink.Sink.
func (s *Sink) Attach(src sink.Source) sink.Feed {
	f := &feed{sink: s, source: src, begin: time.Now()}
	b := &s.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	unsettled := b.linkType < 0
	b.settle(src)
	b.feeds = append(b.feeds, f)
	f.sink.sayMixed(src)
	if len(b.readers) > 0 && (b.number(f) || unsettled) {
		b.wakeIdle()
	}
	return f
}

// Frame implements sink.Feed.
func (f *feed) Frame(p *udpstr.Packet) {
	own := f.sink.opts.Own.carries(f.source.LinkType, p.Data)
	b := &f.sink.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case own:
		f.counters.LeftOut++
	case len(b.readers) == 0 && f.sink.opts.Connect == "" && !f.sink.ended:
		f.counters.LeftOut++
	case !b.fits(f.source):
		b.unfit++
		f.counters.Dropped++
	case f.entry == nil || !b.append(f.entry.id, p):
		f.counters.Dropped++
	default:
		f.counters.Written++
		f.counters.Bytes += uint64(len(p.Data))
	}
}

// Counters implements sink.Feed.
func (f *feed) Counters() sink.Counters {
	f.sink.backlog.mu.Lock()
	defer f.sink.backlog.mu.Unlock()
	return f.counters
}

// Detach implements sink.Feed.
func (f *feed) Detach(sum sink.Forwarded) {
	b := &f.sink.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(f)
	if f.entry == nil {
		return
	}
	to := &f.entry.forwarded
	to.Known = to.Known || sum.Known
	to.Received += sum.Received
	to.InterfaceDropped += sum.InterfaceDropped
	to.KernelDropped += sum.KernelDropped
	to.Captured += sum.Captured
}
