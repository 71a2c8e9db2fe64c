package files

import "rpcapd/savefile"

// shareOf is that of a feed in an interface.
func (i *fileInterface) shareOf(f *feed) *share {
	for _, sh := range i.shares {
		if sh.feed == f {
			return sh
		}
	}
	sh := &share{feed: f}
	i.shares = append(i.shares, sh)
	return sh
}

// settle counts what waits as written.
func (f *file) settle() {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.looked = f.frames
	for _, i := range f.order {
		kept := i.shares[:0]
		for _, sh := range i.shares {
			n := &sh.feed.counters
			n.Waiting -= sh.frames
			n.Written += sh.frames
			n.Bytes += sh.bytes
			if sh.tally = (tally{}); !sh.over {
				kept = append(kept, sh)
			}
		}
		clear(i.shares[len(kept):])
		i.shares = kept
	}
}

// loseAll counts what waits as dropped.
func (f *file) loseAll() (all tally) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	for _, i := range f.order {
		for _, sh := range i.shares {
			all.add(sh.tally)
			f.sink.drop(sh.feed, sh.tally)
			sh.tally = tally{}
		}
	}
	return all
}

// loseBlocks counts the frames in packet blocks as dropped; each has the number of its interface in the file.
func (f *file) loseBlocks(b []byte) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	for b := range savefile.Blocks(b) {
		if id := b.Interface(); b.IsPacket() && int(id) < len(f.order) {
			f.loseOf(f.order[id:id+1], tally{1, uint64(b.Caplen())})
		}
	}
}

// loseSome counts frames as dropped of which it is not known whose they are: the last that came.
func (f *file) loseSome(t tally) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.loseOf(f.order, t)
}

// loseOf takes frames from the last shares of interfaces; s.mu is held.
func (f *file) loseOf(list []*fileInterface, t tally) {
	for k := len(list) - 1; k >= 0; k-- {
		for j := len(list[k].shares) - 1; j >= 0 && t.frames > 0; j-- {
			sh := list[k].shares[j]
			part := tally{min(t.frames, sh.frames), min(t.bytes, sh.bytes)}
			sh.tally, t = sh.less(part), t.less(part)
			f.gone.add(part)
			f.sink.drop(sh.feed, part)
		}
	}
}
