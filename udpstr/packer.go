package udpstr

import (
	"fmt"

	"rpcapd/prefetch"
)

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
		n += p.pack(frames[n:])
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
		p.close()
	}
	if p.count == 0 {
		p.runLimit = 0
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

// pack packs frames until the run is full or they are used up, and returns how many it finished. It is the inner loop of the
// agent: what changes with each frame or datagram is kept in local variables.
func (p *Packer) pack(frames []Frame) (n int) {
	buf, size := p.buf, p.size
	start, w, first := p.start, p.used, p.first
	split, packed := p.split, uint32(p.packed)
	bytes := -w // of the stream that were packed
	for !p.full && n < len(frames) {
		end := start + size
		if w == start {
			w += HeaderLen
			bytes -= HeaderLen
		}
		if split > 0 { // a frame goes on
			data := clip(frames[n].Data)
			k := copy(buf[w:end], data[split:])
			w += k
			split += k
			if split == len(data) {
				split = 0
				n++
				packed++
			}
		}
		if stop := p.stop(frames, n, end-w); split == 0 && stop >= n {
			// Records that fit whole, then one that does not.
			header, k := w, n
			for n < stop {
				f := &frames[n]
				if len(f.Data) <= smallMost {
					if small, used := putSmall(buf[w:end], frames[n:stop], packed); small > 0 {
						n += small
						packed += uint32(small)
						w += used
						continue
					}
				}
				next := w + PacketHeaderLen + len(f.Data)
				if next > end {
					break
				}
				fetch(frames, n)
				rec := buf[w:next]
				packed++
				putPacketHeader(rec, f, len(f.Data), packed)
				copy(rec[PacketHeaderLen:], f.Data)
				w = next
				n++
			}
			if p.legacy != nil {
				p.legacy.began(n - k)
			}
			room := end - w
			if n == stop && room > 0 {
				if n > k && first == noHeader {
					first = header - start
				}
				break
			}
			if room >= minRoom {
				fetch(frames, n)
				f := &frames[n]
				data := clip(f.Data)
				putPacketHeader(buf[w:end], f, len(data), packed+1)
				split = copy(buf[w+PacketHeaderLen:end], data)
				w = end
			}
			if w > header && first == noHeader {
				first = header - start
			}
		}
		p.closeDatagram(start, w, first, split > 0)
		start, first = w, noHeader
	}
	p.start, p.used, p.first = start, w, first
	p.split = split
	p.packed += uint64(n)
	p.ahead.advance(n, bytes+w)
	return n
}

// Of frames longer than smallMost bytes, fetchMost bytes are asked for when the packer is at the frame fetchAhead before:
// each is a new place in memory, for which the processor would have to notice anew that it is read in order.
const (
	fetchAhead = 4
	fetchMost  = 2048
)

// fetch is inlined: small frames, which are many, cost two comparisons.
func fetch(frames []Frame, n int) {
	if n += fetchAhead; n < len(frames) && len(frames[n].Data) > smallMost {
		fetchData(frames[n].Data)
	}
}

//go:noinline
func fetchData(data []byte) { prefetch.Bytes(data[:min(len(data), fetchMost)]) }

// stop returns the end of the frames from n on that may begin in the open datagram, in which room bytes are left.
func (p *Packer) stop(frames []Frame, n, room int) int {
	if p.legacy == nil || n == len(frames) {
		return len(frames)
	}
	if p.legacy.mustClose(room) {
		return -1
	}
	return n + 1
}

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

// clip cuts data to what the format allows.
func clip(data []byte) []byte {
	return data[:min(len(data), MaxCaplen)]
}
