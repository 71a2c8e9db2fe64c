package udpstr

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

// chooseSize sets the size of the datagrams of the open run, of which none is closed yet. Only datagrams of one size share
// a send, and a header that would be split ends a run early. A size a few bytes below the limit moves the cuts: of the
// sizes down to about 3 % below, take the one that sends most payload for what its datagrams and the system call cost.
func (p *Packer) chooseSize(frames []Frame) {
	p.setSize(p.runLimit)
	if p.room < 2 || p.legacy != nil {
		return
	}
	bytes := p.runBytes()
	p.ahead.mark(frames, p.split, bytes)
	inside := max(0, p.used-p.start-HeaderLen)
	origin := p.ahead.pos - uint64(inside)

	best, bestPayload, bestCost := p.runLimit, 0, 1
	smallest := max(p.runLimit-sizeSpread(p.runLimit), inside+HeaderLen+1)
	for size := p.runLimit; size >= smallest; size-- {
		payload := size - HeaderLen
		n, whole := p.ahead.run(origin, payload, min(p.maxDatagrams, bytes/size))
		if cost := n + sendCost; n*payload*bestCost > bestPayload*cost {
			best, bestPayload, bestCost = size, n*payload, cost
		}
		if whole {
			break
		}
	}
	p.setSize(best)
}

// sendCost is what one system call costs beside the datagrams that it sends, measured in datagrams: 3 where the kernel
// cuts super-packets in software, 80 where it passes them on whole. The smaller, the rarer a shorter size is taken.
const sendCost = 3

// sizeSpread is how far below the limit a size may be. 42 bytes suffice for equal frames of any length: among the cuts
// that repeat with every frame, half frame, third of a frame …, each as long as a header and a byte, two neighbours are
// never farther apart than that.
func sizeSpread(limit int) int { return min(limit/32, 48) }
