package udpstr

import "fmt"

// Packer cuts frames into datagrams. Frames go in with Append, runs of datagrams come out with Take. Its zero value is not
// usable; NewPacker makes one for each capture, since seqno and npkt start anew with each.
type Packer struct {
	buf          []byte // the caller's; the open run begins at its start
	limit        int    // largest datagram, from the next run on
	maxDatagrams int    // most datagrams of a run

	// The open run.
	runLimit int  // the limit when it began; 0: no run is open
	size     int  // of its datagrams; may still change while count is 0
	room     int  // most datagrams of this size that the run may have
	count    int  // datagrams closed
	full     bool // nothing more may be added

	// Its open datagram.
	start int // offset in buf
	used  int // end of what is in it; equal to start when none is open
	first int // its firsthdridx so far

	seq    uint32 // seqno of the next datagram to be closed
	packed uint64 // frames whose last byte is packed
	split  int    // data bytes packed of the frame that comes next; 0: its record has not begun

	ahead   lookahead
	backlog backlog
	legacy  *legacyRules // nil but in a test
}

// NewPacker returns a packer of datagrams of at most limit bytes (UDP payload, MinLimit to MaxLimit) that builds its runs
// in buf. A run never exceeds len(buf), MaxRunBytes or MaxRunDatagrams. buf must hold at least one datagram and belongs to
// the packer from now on.
func NewPacker(limit int, buf []byte) (*Packer, error) {
	p := &Packer{buf: buf, maxDatagrams: MaxRunDatagrams, first: noHeader}
	if err := p.SetLimit(limit); err != nil {
		return nil, err
	}
	return p, nil
}

// SetLimit sets the largest datagram from the next run on. The open run keeps the limit that it began with.
func (p *Packer) SetLimit(limit int) error {
	if limit < MinLimit || limit > MaxLimit {
		return fmt.Errorf("set datagram limit %d: not within %d to %d", limit, MinLimit, MaxLimit)
	}
	if limit > len(p.buf) {
		return fmt.Errorf("set datagram limit %d: the run buffer has only %d bytes", limit, len(p.buf))
	}
	p.limit = limit
	return nil
}

// Packed returns the number of frames of which the last byte is packed. It is the npkt of the last of them, in 64 bits.
func (p *Packer) Packed() uint64 { return p.packed }

// closeDatagram ends the datagram from start to w. A short one ends the run. split says that a frame goes on behind it.
func (p *Packer) closeDatagram(start, w, first int, split bool) {
	putHeader(p.buf[start:], first, p.seq)
	p.seq++
	p.count++
	p.full = w < start+p.size || p.count == p.room
	if p.legacy != nil {
		p.legacy.closed(split)
	}
}

// close ends the open datagram where it is.
func (p *Packer) close() {
	p.closeDatagram(p.start, p.used, p.first, p.split > 0)
	p.start, p.first = p.used, noHeader
}
