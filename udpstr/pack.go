package udpstr

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
