package udpstr

import "time"

// ReassemblerConfig sets what a Reassembler waits for and accepts. The zero value means the defaults.
type ReassemblerConfig struct {
	// Window is how many datagrams may be held, and how far ahead of the next one, while that is waited for. Default 64,
	// at most 4096, and never more than 1 MiB of datagrams. Negative: none is held, every gap is a loss at once.
	Window int
	// Hold is the longest time that a datagram is held. Default 20 ms.
	Hold time.Duration
	// MaxCaplen is the largest caplen that is believed, the snap length that was asked for. Default and most: MaxCaplen.
	MaxCaplen uint32
}

const (
	defaultWindow = 64
	maxWindow     = 4096
	defaultHold   = 20 * time.Millisecond
)

// Reassembler puts the frames of one stream together again. It gets the datagrams in the order of arrival and calls deliver
// with the frames of which every byte came, in the order of the capture, from within Datagram, Expire and Flush; deliver must
// call none of these. A frame that lies whole in a datagram is delivered without being copied.
//
// Memory is bounded, whatever arrives: one frame (grown as its data come, at most MaxCaplen), the window (1 MiB, grown as
// datagrams have to be held) and one datagram more.
type Reassembler struct {
	deliver func([]Packet)
	records recordReader
	c       Counters

	next    uint32 // seqno that comes next
	high    uint32 // one above the highest seqno used or held; next, when none is held
	started bool   // a datagram was used or held: seqnos before next are old
	quiet   bool   // nothing is held and no jump waits to be judged

	held window
	seen history
	jump jump
	hold time.Duration
}

// NewReassembler returns a Reassembler that hands frames to deliver, one by one.
func NewReassembler(cfg ReassemblerConfig, deliver func(*Packet)) *Reassembler {
	return NewBatchReassembler(cfg, func(batch []Packet) {
		for i := range batch {
			deliver(&batch[i])
		}
	})
}

// NewBatchReassembler returns a Reassembler that hands frames to deliver as many together as a datagram brings, at least one.
func NewBatchReassembler(cfg ReassemblerConfig, deliver func([]Packet)) *Reassembler {
	if cfg.Window == 0 {
		cfg.Window = defaultWindow
	}
	if cfg.Hold <= 0 {
		cfg.Hold = defaultHold
	}
	if cfg.MaxCaplen == 0 || cfg.MaxCaplen > MaxCaplen {
		cfg.MaxCaplen = MaxCaplen
	}
	reach := 0
	if cfg.Window > 0 {
		reach = min(cfg.Window, maxWindow) + 1
	}
	return &Reassembler{
		deliver: deliver,
		records: recordReader{maxCaplen: int(cfg.MaxCaplen), synced: true},
		held:    window{size: reach},
		hold:    cfg.Hold,
		quiet:   true,
	}
}

// Counters returns what was counted so far.
func (r *Reassembler) Counters() Counters {
	r.c.LastNumber = r.records.last
	return r.c
}

// Tail is TailLoss of the stream so far.
func (r *Reassembler) Tail(captured uint32) (missing uint64) {
	return TailLoss(captured, uint32(r.records.last))
}

// TailLoss returns how many frames are missing at the end of a stream, given how many the agent says it captured in all and the
// number of the last frame that has come, both modulo 2³². It is 0 if the agent's number lies before that frame: then it is a
// lower bound, and nothing is known to be lost.
func TailLoss(captured, last uint32) uint64 { return uint64(max(0, int32(captured-last))) }

// arrived counts a datagram that was judged; class is the counter for what it was found to be.
func (r *Reassembler) arrived(b []byte, class *uint64) {
	r.c.Datagrams++
	r.c.Bytes += uint64(len(b))
	*class++
}

// Counters is what a Reassembler has counted since it was made. At any time
//
//	Datagrams = InOrder + Reordered + Late + Duplicate + Malformed
//
// and after Flush, if the last datagram sent came,
//
//	datagrams sent = InOrder + Reordered + Lost
//
// and, with what Reassembler.Tail says of the end,
//
//	frames packed = Delivered + Missing + Tail
type Counters struct {
	Datagrams uint64 // arrived and judged; one that jumps far ahead is judged, and counted, a little later
	Bytes     uint64 // in those

	InOrder   uint64 // used; none with a higher seqno had been used or held before
	Reordered uint64 // used; came after one with a higher seqno, but in time
	Late      uint64 // not used: its seqno had been given up as lost. It stays counted in Lost
	Duplicate uint64 // not used: its seqno had come before
	Malformed uint64 // not used: no datagram of this format, or a seqno far ahead that the stream belied
	Lost      uint64 // seqnos given up

	Delivered      uint64 // frames
	DeliveredBytes uint64 // data bytes in those
	Missing        uint64 // frames of which a part was lost: gaps in npkt before and between those delivered
	LastNumber     uint64 // npkt of the last delivered frame, unwrapped

	Inconsistent uint64 // datagrams of which a part was dropped since it contradicts itself or those before
}
