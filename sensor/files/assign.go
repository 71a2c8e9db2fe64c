package files

import (
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// sizeOf is the size of a frame in a file, from that of its block in the queue.
func (w *writer) sizeOf(block int) int64 {
	if w.opts.Format == savefile.Pcap {
		return int64(block - savefile.PacketSize(0) + savefile.PcapRecordSize(0)) // up to 3 more than it is
	}
	return int64(block)
}

// fits reports whether a frame goes into the present file.
func (w *writer) fits(f *file, n int, now time.Time) bool {
	if f.over(now) {
		return false
	}
	return w.opts.RotateSize == 0 || f.frames == 0 || f.size+w.sizeOf(n)+f.statisticsRoom() <= w.opts.RotateSize
}

// ready returns the file for a frame of a stream, with its interface.
func (w *writer) ready(st *stream, n int, now time.Time) (*file, error) {
	f := st.group.file
	if f != nil {
		room := n
		if w.opts.Format == savefile.Pcapng && f.index[st.key] == nil {
			room += len(savefile.AppendInterface(nil, st.block)) + savefile.StatisticsSize
		}
		if !w.fits(f, room, now) || len(f.order) >= maxInterfaces && f.index[st.key] == nil {
			if err := w.complete(f, now); err != nil {
				return nil, err
			}
			f = nil
		}
	}
	if f == nil {
		var err error
		if f, err = w.create(st.group, st.block.LinkType, now); err != nil {
			return nil, err
		}
	}
	if st.file == f {
		return f, nil
	}
	st.file = f
	if st.iface = f.index[st.key]; st.iface == nil {
		st.iface = &fileInterface{id: uint32(len(f.order)), numbers: savefile.Statistics{Start: now}}
		f.index[st.key] = st.iface
		f.order = append(f.order, st.iface)
		if len(f.order) == 1 {
			f.linkType = st.block.LinkType
		}
		if w.opts.Format == savefile.Pcapng {
			if f.linkType != st.block.LinkType {
				w.mu.Lock()
				w.sayMixed(int64(f.linkType), &st.block, mixedText)
				w.mu.Unlock()
			}
			b := savefile.AppendInterface(nil, st.block)
			f.size += int64(len(b))
			if err := w.put(f, b); err != nil {
				return nil, err
			}
			if f.left { // it was closed for a while, and somebody has taken it away meanwhile
				return w.ready(st, n, now)
			}
		}
	}
	st.share = st.iface.shareOf(st.feed)
	if st.first == nil {
		st.first = f
	}
	st.iface.begun = st.iface.begun || st.first != f
	return f, nil
}

// detached ends a stream.
func (w *writer) detached(id uint32, sum sink.Forwarded) {
	st := w.table[id]
	if g := st.group; g.file != nil && st.file == g.file {
		addForwarded(&st.iface.numbers, sum)
		st.share.over = true
	}
	st.group.idle = time.Now()
	w.mu.Lock()
	w.release(id)
	w.mu.Unlock()
}
