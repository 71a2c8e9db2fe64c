package receive

import (
	"maps"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

// sinkCounters says what each sink did with the frames.
func (s *stream) sinkCounters() map[string]sink.Counters {
	s.late.Settle(s.change)
	by := make(map[string]sink.Counters, len(s.feeds))
	maps.Copy(by, s.sinks)
	for _, f := range s.feeds {
		c := f.Counters()
		c.Add(by[f.Sink()])
		by[f.Sink()] = c
	}
	return by
}

// change adds to the counters of a sink; they are kept by name, so that it does not matter which feed had what.
func (s *stream) change(sink string, by sink.Counters) {
	c := s.sinks[sink]
	c.Add(by)
	s.sinks[sink] = c
}

// detach ends the feeds. sum is what the agent has reported by now.
func (s *stream) detach(sum sink.Forwarded) {
	for _, f := range s.feeds {
		s.end(f, sum)
	}
	s.feeds = nil
}

// end ends one feed and keeps its counters.
func (s *stream) end(f *sink.Attachment, sum sink.Forwarded) {
	if s.sinks == nil {
		s.sinks = make(map[string]sink.Counters, len(s.feeds))
	}
	f.Detach(sum)
	n := f.Counters()
	s.change(f.Sink(), n)
	s.late.Add(f, n, s.change)
}

// refilter begins new feeds, whose frames the agent has chosen with another filter. Nothing is lost between the two: what
// the reorder window holds goes to the new ones.
func (s *stream) refilter(filter string, sum sink.Forwarded) {
	s.source.Filter = filter
	if s.finished {
		return
	}
	s.detach(sum)
	s.feeds = s.hub.Attach(s.source, sum)
}

// finish ends the stream: what the reorder window holds is delivered, the tail is settled, the sinks are told. captured
// is the agent's final count, or the last one that is known.
func (s *stream) finish(tail status.Tail, captured uint32, sum sink.Forwarded) {
	if s.finished {
		return
	}
	switch {
	case s.udpstr != nil:
		s.udpstr.Flush()
	case s.plain != nil:
		s.plain.settle()
	}
	s.final, s.tail = s.arrived(), tail
	s.tailLost = s.tailLoss(captured)
	s.final.Missing += s.tailLost
	s.account = account{} // it is missing now
	s.finished = true
	s.detach(sum)
	s.udpstr, s.plain = nil, nil
}

// tailLoss is the number of frames the agent counted after the last one that was seen.
func (s *stream) tailLoss(captured uint32) uint64 { return udpstr.TailLoss(captured, s.highest()) }

// highest is the highest frame number that has come, modulo 2^32.
func (s *stream) highest() uint32 {
	switch {
	case s.udpstr != nil:
		return uint32(s.udpstr.Counters().LastNumber)
	case s.plain != nil:
		return uint32(s.plain.newest)
	}
	return uint32(s.newest)
}

// follow makes the feeds agree with the sinks that there are now.
func (s *stream) follow(sum sink.Forwarded) {
	if !s.finished {
		s.feeds = s.hub.Follow(s.feeds, s.source, sum, func(f *sink.Attachment) { s.end(f, sum) })
	}
}
