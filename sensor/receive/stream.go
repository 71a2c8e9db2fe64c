package receive

import (
	"net/netip"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/udpstr"
)

const (
	// vlanSlack is what an agent's capture library may add to the snap length: two VLAN tags put back.
	vlanSlack = 8
	// maxSources bounds the source ports one stream has had (NAT rebinding): datagrams still on their way from the
	// former ones belong to it.
	maxSources = 8
)

// stream is the frames of one STARTCAP. A UDP stream is guarded by its dataPort's mu, a TCP stream by its tcpData's.
type stream struct {
	agent    netip.Addr // the only address that datagrams are taken from
	source   sink.Source
	limits   Limits
	feeds    []*sink.Attachment
	hub      *sink.Hub // nil: it knows nothing of the stream
	dedup    *dedup    // nil: nothing is dropped
	number   uint32    // in dedup
	clock    clockOffset
	now      time.Time // arrival of what is worked on
	nowMicro int64     // the same since 1970
	repeated uint64    // frames that another stream had brought
	overTCP  bool
	format   streamFormat
	udpstr   *udpstr.Reassembler
	plain    *plainStream
	one      [1]udpstr.Packet // what deliverOne hands on
	nextSeq  uint32           // udpstr: seqno after the highest seen; plain: number after it
	farSeq   uint32           // of the last datagram if it was far ahead of that; else 0

	path pathValidation

	account account
	largest int // bytes of the longest datagram

	timed    bool   // in dataPort.timed
	newest   uint64 // number of the last frame delivered
	awaiting uint64 // close reached when the frame with this number is delivered; 0: not set
	reached  chan struct{}
	finished bool
	final    status.Received
	tail     status.Tail
	tailLost uint64
	sinks    map[string]sink.Counters // of the feeds that were detached
	late     sink.Unsettled           // those of them whose counters still change
}

func newStream(src sink.Source, limits Limits) *stream {
	return &stream{agent: src.Agent, source: src, limits: limits, reached: make(chan struct{}), path: pathValidation{
		state: pathOpen, ask: make(chan struct{}, 1),
	}}
}

// begin settles the format with the first datagram.
func (s *stream) begin(f streamFormat) {
	s.format = f
	maxCaplen := s.maxCaplen()
	if f == formatPlain {
		s.plain = &plainStream{maxCaplen: maxCaplen, hold: s.limits.Hold, deliver: s.deliverOne, disown: func() { s.path.forged++ }}
		if s.overTCP {
			s.plain.hold = 0
		}
		return
	}
	s.udpstr = udpstr.NewBatchReassembler(udpstr.ReassemblerConfig{
		Window: s.limits.Window, Hold: s.limits.Hold, MaxCaplen: maxCaplen,
	}, s.deliver)
}

// maxCaplen is the longest frame that is taken, in bytes.
func (s *stream) maxCaplen() uint32 { return min(s.source.Snaplen+vlanSlack, rpcap.MaxSnaplen) }

// refusePath forgets the source and all that has come from it. The frames have gone to the sinks.
func (s *stream) refusePath() {
	s.path.forged += s.arrived().Frames
	s.format, s.udpstr, s.plain, s.path.sources = formatUnknown, nil, nil, nil
	s.newest, s.farSeq, s.largest, s.path.taken, s.clock = 0, 0, 0, 0, clockOffset{}
}

// datagram takes one payload from the stream's own source.
func (s *stream) datagram(b []byte, now time.Time) {
	if s.finished {
		return
	}
	s.arrives(now)
	s.path.taken++
	s.largest = max(s.largest, len(b))
	if f, seq := classify(b); f == s.format {
		s.advance(seq)
	}
	if s.format == formatPlain {
		s.plain.message(b, now)
		return
	}
	s.udpstr.Datagram(b, now)
}

// takesRuns reports whether run may be called: no datagram of the stream's own source can change what the stream is.
func (s *stream) takesRuns() bool {
	return s.format == formatUDPStr && !s.finished && s.path.state.settled()
}

// run is datagram for n payloads that lie behind one another, as udpstr.Reassembler.Datagrams takes them.
func (s *stream) run(run []byte, size, n int, now time.Time) {
	s.arrives(now)
	s.path.taken += uint64(n)
	s.largest = max(s.largest, min(size, len(run)))
	for at := 0; at < len(run); at += size {
		if f, seq := classify(run[at:min(at+size, len(run))]); f == formatUDPStr {
			s.advance(seq)
		}
	}
	s.udpstr.Datagrams(run, size, now)
}

// advance notes where the stream is. A number far ahead counts when a second one stands by it.
func (s *stream) advance(seq uint32) {
	switch ahead := int32(seq + 1 - s.nextSeq); {
	case ahead <= 0:
	case ahead <= continuationWindow || seq-s.farSeq < continuationWindow && s.farSeq != 0:
		s.nextSeq, s.farSeq = seq+1, 0
	default:
		s.farSeq = seq
	}
}

// deadline returns when expire is due; ok is false if nothing is held back.
func (s *stream) deadline() (at time.Time, ok bool) {
	switch {
	case s.udpstr != nil:
		return s.udpstr.Deadline()
	case s.plain != nil:
		return s.plain.deadline()
	}
	return time.Time{}, false
}

// arrives sets the time of what is worked on.
func (s *stream) arrives(now time.Time) {
	if now != s.now {
		s.now, s.nowMicro = now, now.UnixMicro()
	}
}

// expire gives up waiting where it is time.
func (s *stream) expire(now time.Time) {
	s.arrives(now)
	if s.udpstr != nil {
		s.udpstr.Expire(now)
		return
	}
	s.plain.expire(now)
}

// message takes one PACKET message that came over TCP.
func (s *stream) message(b []byte, now time.Time) {
	if s.finished {
		return
	}
	s.arrives(now)
	s.largest = max(s.largest, len(b))
	s.plain.message(b, now)
}

// deliver hands frames to every sink; the reassembler calls it.
func (s *stream) deliver(batch []udpstr.Packet) {
	s.newest = batch[len(batch)-1].Number
	if s.plain != nil { // whose frames may come out of order
		s.newest = s.plain.newest
	}
	s.clock.frames(batch, s.now, s.nowMicro)
	if s.dedup != nil {
		batch = s.unrepeated(batch)
	}
	if len(batch) > 0 {
		for _, f := range s.feeds {
			f.Frames(batch)
		}
	}
	if s.awaiting != 0 && s.newest >= s.awaiting {
		s.awaiting = 0
		close(s.reached)
	}
}

// deliverOne is deliver for the plain stream, whose frames come one by one.
func (s *stream) deliverOne(p *udpstr.Packet) {
	s.one[0] = *p
	s.deliver(s.one[:])
	s.one[0].Data = nil
}

// unrepeated takes out the frames that another stream has brought.
func (s *stream) unrepeated(batch []udpstr.Packet) []udpstr.Packet {
	kept := batch[:0]
	for i := range batch {
		if p := &batch[i]; s.dedup.again(s.number, s.source.LinkType, p, s.now) {
			s.repeated++
		} else {
			kept = append(kept, *p)
		}
	}
	return kept
}

// await makes reached close once everything up to frame number captured (modulo 2^32) has come.
func (s *stream) await(captured uint32) {
	missing := int32(captured - uint32(s.newest))
	if s.awaiting != 0 || s.finished {
		return
	}
	if missing <= 0 {
		close(s.reached)
		return
	}
	s.awaiting = s.newest + uint64(missing)
}

// continues reports how far a datagram is ahead of this stream, if it is near enough to be its continuation.
func (s *stream) continues(h *header) (ahead uint32, ok bool) {
	if !s.path.state.begun() || s.finished {
		return 0, false
	}
	return h.seq - s.nextSeq, h.follows(s.format, s.nextSeq, uint32(s.newest), max(s.limits.Window, 0))
}

// received returns the counters so far.
func (s *stream) received() status.Received {
	if s.finished {
		return s.final
	}
	return s.arrived()
}

func (s *stream) arrived() status.Received {
	switch s.format {
	case formatPlain:
		return s.plain.snapshot()
	case formatUDPStr:
		c := s.udpstr.Counters()
		return status.Received{
			Datagrams: c.Datagrams, Bytes: c.Bytes, Frames: c.Delivered, FrameBytes: c.DeliveredBytes,
			InOrder: c.InOrder, Reordered: c.Reordered, Lost: c.Lost, Late: c.Late, Duplicate: c.Duplicate,
			Malformed: c.Malformed, Missing: c.Missing,
		}
	}
	return status.Received{}
}
