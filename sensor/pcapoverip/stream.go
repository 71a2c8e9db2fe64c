package pcapoverip

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// application is what the section header names.
const application = "rpcap-sensor"

// After less than gatherSize bytes a stream rests for gatherTime, so that frames that follow each other share a write:
// otherwise each of them would wake every client, at the cost of the goroutine that receives frames.
const (
	gatherSize = 16 << 10
	gatherTime = time.Millisecond
)

// stream writes the backlog to one connection. One goroutine uses it; the counters may be read by any.
type stream struct {
	sink     *Sink
	conn     *pacedConn
	selector *sink.Selector // nil: everything
	reader   *reader
	begin    time.Time
	sent     sentCounters

	headed    bool
	known     int           // interfaces of the sink that were looked at
	ids       []int64       // this stream's number of each, -1: not wanted
	entries   []*ifaceEntry // by this stream's number
	delivered []uint64      // likewise, frames
	buf       []byte
}

// sentCounters are numbers of frames, and the bytes in those that were sent.
type sentCounters struct{ frames, bytes, leftOut, failed atomic.Uint64 }

// newStream joins the backlog: frames count from now on. leave must follow.
func (s *Sink) newStream(conn *pacedConn, selector *sink.Selector) *stream {
	return &stream{sink: s, conn: conn, selector: selector, begin: time.Now(), reader: s.backlog.join()}
}

// run writes until ctx ends, then what is left and the statistics; until gone is closed; or until an error.
func (s *stream) run(ctx context.Context, gone <-chan struct{}) error {
	stopping := ctx.Done()
	for {
		t := s.sink.backlog.take(s.reader)
		if err := s.pass(t); err != nil {
			return err
		}
		if t.chunk != nil {
			if len(t.data) < gatherSize && stopping != nil {
				time.Sleep(gatherTime)
			}
			continue
		}
		if stopping == nil {
			return s.finish()
		}
		select {
		case <-s.reader.wake:
		case <-gone:
			return errGone
		case <-stopping:
			stopping = nil
		}
	}
}

// pass writes what was taken, and what must stand before it.
func (s *stream) pass(t taken) error {
	classic := s.sink.opts.Format == savefile.Pcap
	s.buf = s.buf[:0]
	if !s.headed && !s.head(classic) {
		return nil // classic pcap before the first source: there are no frames
	}
	for _, e := range t.interfaces[s.known:] {
		s.meet(e, classic)
	}
	s.known = len(t.interfaces)
	if s.selector == nil && !classic {
		return s.passAll(t)
	}
	frames, bytes := s.choose(t, classic)
	s.sink.backlog.done(t) // the connection may be slow, and buf has all of it
	if len(s.buf) == 0 {
		return nil
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		s.sent.failed.Add(frames)
		return err
	}
	s.sent.frames.Add(frames)
	s.sent.bytes.Add(bytes)
	return nil
}

// head puts the beginning of the stream into buf, if it is known.
func (s *stream) head(classic bool) bool {
	if !classic {
		s.buf = savefile.AppendSectionHeader(s.buf, application)
	} else if lt, ok := s.sink.backlog.settled(); ok {
		s.buf = savefile.AppendPcapHeader(s.buf, lt)
	} else {
		return false
	}
	s.headed = true
	return true
}

// settled is the link type of a classic stream.
func (b *backlog) settled() (uint32, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint32(b.linkType), b.linkType >= 0
}

// meet numbers an interface, and puts its block into buf, if this stream wants it.
func (s *stream) meet(e *ifaceEntry, classic bool) {
	if s.selector != nil && !s.selector.Source(e.source) {
		s.ids = append(s.ids, -1)
		return
	}
	s.ids = append(s.ids, int64(len(s.entries)))
	s.entries = append(s.entries, e)
	s.delivered = append(s.delivered, 0)
	if !classic {
		s.buf = append(s.buf, e.block...)
	}
}

// passAll writes the blocks as they are: with everything wanted this stream's numbers are the backlog's.
func (s *stream) passAll(t taken) error {
	defer s.sink.backlog.done(t)
	for _, b := range [][]byte{s.buf, t.data} {
		if len(b) == 0 {
			continue
		}
		if _, err := s.conn.Write(b); err != nil {
			s.sent.failed.Add(t.frames)
			return err
		}
	}
	var bytes uint64
	for block := range savefile.Blocks(t.data) {
		s.delivered[block.Interface()]++
		bytes += uint64(block.Caplen())
	}
	s.sent.frames.Add(t.frames)
	s.sent.bytes.Add(bytes)
	return nil
}

// choose copies the frames that are wanted to buf.
func (s *stream) choose(t taken, classic bool) (frames, bytes uint64) {
	if need := len(s.buf) + len(t.data); cap(s.buf) < need {
		s.buf = append(make([]byte, 0, need), s.buf...)
	}
	for block := range savefile.Blocks(t.data) {
		id := s.ids[block.Interface()]
		if id < 0 {
			continue
		}
		p := block.Packet()
		if s.selector != nil && !s.selector.Frame(s.entries[id].source.LinkType, &p) {
			continue
		}
		if classic {
			s.buf = savefile.AppendPcapRecord(s.buf, &p)
		} else {
			at := len(s.buf)
			s.buf = append(s.buf, block...)
			savefile.Block(s.buf[at:]).SetInterface(uint32(id))
		}
		s.delivered[id]++
		frames++
		bytes += uint64(len(p.Data))
	}
	s.sent.leftOut.Add(t.frames - frames)
	return frames, bytes
}

// finish writes the statistics. The agent's numbers are in it only where they cover the same time as the stream.
func (s *stream) finish() error {
	if s.sink.opts.Format == savefile.Pcap {
		return nil
	}
	now := time.Now()
	b := &s.sink.backlog
	s.buf = s.buf[:0]
	b.mu.Lock()
	for id, e := range s.entries {
		st := savefile.Statistics{Start: e.start, End: now, Delivered: s.delivered[id]}
		if e.start.Before(s.begin) {
			st.Start = s.begin
		} else if f := e.forwarded; f.Known {
			st.Known, st.Received, st.InterfaceDropped, st.KernelDropped = true, f.Received, f.InterfaceDropped, f.KernelDropped
		}
		s.buf = savefile.AppendStatistics(s.buf, uint32(id), st)
	}
	b.mu.Unlock()
	if len(s.buf) == 0 {
		return nil
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}
