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

// SetMaxDatagrams sets how many datagrams a run may have, 1 to MaxRunDatagrams, from the next run on. With 1 each datagram
// is a run of its own and has the limit as its size: for sockets without segmentation offload.
func (p *Packer) SetMaxDatagrams(n int) {
	p.maxDatagrams = max(1, min(n, MaxRunDatagrams))
}

// Packed returns the number of frames of which the last byte is packed. It is the npkt of the last of them, in 64 bits.
func (p *Packer) Packed() uint64 { return p.packed }

// Pending says whether Take would return a run.
func (p *Packer) Pending() bool { return p.count > 0 || p.used > p.start || p.takeable() }

// Append packs frames from where the last call stopped and returns how many of them it is done with: the caller may give
// their memory back. When full is true the run must be taken before packing can go on, and frames[n], if there is one,
// may be partly packed: it must be the first frame of the next call, unchanged. When full is false all frames are packed.
//
// The lengths of the frames at hand decide the size of the datagrams, so the more of them come with one call the better.
func (p *Packer) Append(frames []Frame) (n int, full bool) {
	fresh := true
	for n < len(frames) {
		if p.full {
			return n, true
		}
		if p.backlog.len() > 0 {
			p.openRun()
			p.fillFromBacklog(true)
			continue
		}
		if p.count == 0 && (fresh || p.runLimit == 0) {
			p.openRun()
			p.chooseSize(frames[n:])
			fresh = false
		}
		n += p.fill(frames[n:])
	}
	return n, p.full
}

// Take closes the open run and returns it; its last datagram may be short. It returns false when nothing is buffered.
// After Repack there may be more than one run to take.
func (p *Packer) Take() (Run, bool) {
	for !p.full && p.takeable() {
		p.openRun()
		if !p.fillFromBacklog(false) {
			break
		}
	}
	if p.used > p.start {
		p.closeDatagram(p.used)
	}
	if p.count == 0 {
		return Run{}, false
	}
	r := Run{Bytes: p.buf[:p.used], Size: p.size, Datagrams: p.count, FirstSeq: p.seq - uint32(p.count)}
	p.runLimit, p.count, p.full = 0, 0, false
	p.start, p.used = 0, 0
	return r, true
}

// openRun begins a run with the present limit if none is open.
func (p *Packer) openRun() {
	if p.runLimit == 0 {
		p.runLimit = p.limit
		p.setSize(p.limit)
	}
}

// setSize sets the size of the datagrams of the open run, none of which is closed yet.
func (p *Packer) setSize(size int) {
	p.size = size
	p.room = min(p.maxDatagrams, p.runBytes()/size)
}

// runBytes is the most bytes that a run may have.
func (p *Packer) runBytes() int { return min(MaxRunBytes, len(p.buf)) }

// fill packs frames into the open datagram, or a new one, until that is closed or the frames are used up. It returns how
// many frames it finished.
func (p *Packer) fill(frames []Frame) (n int) {
	end := p.start + p.size
	w := p.used
	if w == p.start {
		w += HeaderLen
	}
	before := w
	if p.split > 0 {
		data := clip(frames[0].Data)
		k := copy(p.buf[w:end], data[p.split:])
		w += k
		p.split += k
		if p.split < len(data) {
			p.ahead.advance(0, k)
			p.closeDatagram(end)
			return 0
		}
		p.split = 0
		p.packed++
		n = 1
	}

	stop := len(frames)
	if p.legacy != nil && n < stop {
		if p.legacy.mustClose(end - w) {
			p.closeDatagram(w)
			return n
		}
		stop = n + 1
	}
	header := w
	k, w := packWhole(p.buf[:end], w, frames[n:stop], uint32(p.packed))
	p.packed += uint64(k)
	n += k
	if k > 0 && p.first == noHeader {
		p.first = header - p.start
	}
	if p.legacy != nil {
		p.legacy.began(k)
	}
	p.ahead.advance(n, w-before)
	room := end - w
	switch {
	case room == 0:
		p.closeDatagram(end)
	case n == stop:
		p.used = w
	case room < minRoom:
		p.closeDatagram(w)
	default: // the record begins here, its data go on in the next datagram
		f := &frames[n]
		data := clip(f.Data)
		if p.first == noHeader {
			p.first = w - p.start
		}
		putPacketHeader(p.buf[w:end], f, len(data), uint32(p.packed)+1)
		p.split = copy(p.buf[w+PacketHeaderLen:end], data)
		p.ahead.advance(0, room)
		p.closeDatagram(end)
	}
	return n
}

// packWhole writes records to buf from w on as long as they fit whole. It returns their number and the end of the last.
// packed is the npkt of the frame before.
func packWhole(buf []byte, w int, frames []Frame, packed uint32) (int, int) {
	for i := range frames {
		f := &frames[i]
		next := w + PacketHeaderLen + len(f.Data)
		if next > len(buf) {
			return i, w
		}
		rec := buf[w:next]
		packed++
		putPacketHeader(rec, f, len(f.Data), packed)
		copy(rec[PacketHeaderLen:], f.Data)
		w = next
	}
	return len(frames), w
}

// closeDatagram ends the open datagram at w. A short one ends the run.
func (p *Packer) closeDatagram(w int) {
	putHeader(p.buf[p.start:], p.first, p.seq)
	p.full = w < p.start+p.size
	p.seq++
	p.count++
	p.start, p.used = w, w
	p.first = noHeader
	if p.count == p.room {
		p.full = true
	}
	if p.legacy != nil {
		p.legacy.closed(p.split > 0)
	}
}

// clip cuts data to what the format allows.
func clip(data []byte) []byte {
	return data[:min(len(data), MaxCaplen)]
}
