package udpstr

import "errors"

// Repack takes a run back, the one that Take returned last or its unsent end (Run.After), to be cut anew with the present
// limit: after SetLimit, when the path takes only smaller datagrams. Its datagrams are numbered again from r.FirstSeq on.
// It holds for a run from which nothing was packed since; Append and Take then go on with it, the frames come after.
func (p *Packer) Repack(r Run) error {
	if p.count > 0 || p.used > p.start || r.FirstSeq+uint32(r.Datagrams) != p.seq {
		return errors.New("repack run: not the last one taken, or packing has gone on since")
	}
	if r.Datagrams == 0 {
		return nil
	}
	stream := make([]byte, 0, len(r.Bytes)+p.backlog.len())
	rest, known := 0, false
	for i := range r.Datagrams {
		d := r.Datagram(i)
		first, _, ok := parseHeader(d)
		if !ok {
			return errors.New("repack run: not datagrams of this packer")
		}
		if !known && first != noHeader {
			rest, known = len(stream)+first-HeaderLen, true
		}
		stream = append(stream, d[HeaderLen:]...)
	}
	if !known { // data of a single frame, which may go on behind the run
		rest = len(stream)
		switch {
		case p.backlog.len() > 0:
			rest += p.backlog.rest
		case p.split > 0:
			rest += MaxCaplen
		}
	}
	p.backlog = backlog{buf: append(stream, p.backlog.buf[p.backlog.pos:]...), rest: rest}
	p.seq = r.FirstSeq
	return nil
}

// fillFromBacklog packs the backlog into the open datagram, or a new one, until that is closed or the backlog is used up.
// The last record may end in the frame that Append gets next. Unless that is at hand (more), its beginning waits until it
// fills a datagram, since only a full one may end inside a record. It returns whether it closed a datagram.
func (p *Packer) fillFromBacklog(more bool) bool {
	end := p.start + p.size
	w := p.used
	if w == p.start {
		w += HeaderLen
	}
	for w < end && p.backlog.len() > 0 {
		room := end - w
		n, header, whole := p.backlog.piece()
		if header && n > room && room < minRoom {
			p.used = w
			p.close()
			return true
		}
		if !whole && n < room && !more {
			break
		}
		if header && p.first == noHeader {
			p.first = w - p.start
		}
		w += p.backlog.read(p.buf[w:end])
	}
	if w == p.start+HeaderLen {
		return false
	}
	p.used = w
	if w == end {
		p.close()
		return true
	}
	return false
}

// takeable says whether the backlog has something for Take: a whole record, the end of one, or enough to fill a datagram.
func (p *Packer) takeable() bool {
	if p.backlog.len() == 0 {
		return false
	}
	n, _, whole := p.backlog.piece()
	size := p.size
	if p.runLimit == 0 {
		size = p.limit
	}
	return whole || n >= size-HeaderLen
}
