package files

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor"
)

const (
	// bufferSize gathers the frames of a file where a write of its own for each would cost too much: with a file for
	// each agent, and for classic files, whose records are made here.
	bufferSize = 32 << 10
	// What is in such a buffer, or in an encoder, is seen by readers at the latest after these.
	flushSplit      = 100 * time.Millisecond
	flushCompressed = time.Second
	// idleGroup is how long a file waits for its agent to come back before it is completed.
	idleGroup = time.Minute
	// tickEvery is how often the clock is looked at.
	tickEvery = time.Second
)

// writer is one run of a Sink: the goroutine that takes frames out of the queue, and all that only it touches.
type writer struct {
	*Sink
	place    *place
	finisher *finisher
	encoders encoders
	table    []*stream // of the present chunk
	files    map[*file]struct{}
	recent   *list.List // of the files that have an fd, the one used last in front
	dirty    []*file
	flushed  time.Time
	synced   time.Time
	trimmed  time.Time
	buffered bool
	delay    time.Duration // of a flush
}

func newWriter(s *Sink, p *place) *writer {
	w := &writer{Sink: s, place: p, finisher: newFinisher(s, p), encoders: encoders{kind: s.opts.Compress}, files: make(map[*file]struct{}), recent: list.New()}
	w.buffered = s.opts.PerAgent || s.hasWord("linktype") || s.opts.Format == savefile.Pcap
	switch {
	case s.opts.Compress != Uncompressed:
		w.delay = flushCompressed
	case s.opts.PerAgent:
		w.delay = flushSplit
	}
	return w
}

// run writes until ctx ends or something fails. All files are complete when it returns, as far as that is possible.
func (w *writer) run(ctx context.Context) (err error) {
	w.finisher.start(ctx)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var soon *time.Timer // the next flush
	defer func() {
		if err != nil {
			w.refuse()
		}
		err = errors.Join(err, w.end(err != nil))
	}()
	for {
		if err := w.drain(); err != nil {
			return err
		}
		var flush <-chan time.Time
		if len(w.dirty) > 0 {
			wait := w.delay - time.Since(w.flushed)
			if wait <= 0 {
				if err := w.flush(); err != nil {
					return err
				}
			} else if soon == nil {
				soon = time.NewTimer(wait)
				defer soon.Stop()
				flush = soon.C
			} else {
				soon.Reset(wait)
				flush = soon.C
			}
		}
		select {
		case <-w.wake:
		case <-flush:
		case <-tick.C:
			if err := w.tick(time.Now()); err != nil {
				return err
			}
		case err := <-w.finisher.failed:
			return err
		case <-ctx.Done():
			return w.drain()
		}
	}
}

// drain writes chunks until none is left.
func (w *writer) drain() error {
	for {
		w.mu.Lock()
		c := w.queue.take()
		w.table = w.streams
		w.mu.Unlock()
		if c == nil {
			return nil
		}
		done, err := w.chunk(c)
		if err != nil {
			w.lost.Add(countFrames(c[done:]))
		}
		w.mu.Lock()
		if err != nil {
			w.detachAll(c[done:])
		}
		w.queue.giveBack(c)
		w.mu.Unlock()
		if err != nil {
			return err
		}
		if len(w.dirty) > 0 && time.Since(w.flushed) >= max(w.delay, flushSplit) {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
}

// chunk writes the frames of a chunk. Those that follow each other in one file are written together; the number of the
// stream in each is replaced by that of the interface in the file. done is what needs no more care.
func (w *writer) chunk(c []byte) (done int, err error) {
	now := time.Now()
	var to *file // of the frames from start on
	start := 0
	for at := 0; at < len(c); {
		n := blockLength(c[at:])
		id := blockNumber(c[at:])
		if blockType(c[at:]) == recordDetach {
			if err := w.put(to, c[start:at]); err != nil {
				return at, err
			}
			w.detached(id, parseDetach(c[at:]))
			at += n
			start, to = at, nil
			continue
		}
		st := w.table[id]
		f := st.group.file
		if f == nil || st.file != f || !w.fits(f, n, now) {
			if err := w.put(to, c[start:at]); err != nil {
				return at, err
			}
			start, to = at, nil
			if f, err = w.ready(st, n, now); err != nil {
				return at, err
			}
		}
		if f != to {
			if err := w.put(to, c[start:at]); err != nil {
				return at, err
			}
			start, to = at, f
		}
		setBlockNumber(c[at:], st.iface.id)
		st.iface.numbers.Delivered++
		f.frames++
		f.size += w.sizeOf(n)
		at += n
		if f.frames == w.opts.RotateFrames {
			if err := w.put(to, c[start:at]); err != nil {
				return at, err
			}
			start, to = at, nil
			if err := w.complete(f, now); err != nil {
				return at, err
			}
		}
	}
	return len(c), w.put(to, c[start:])
}

// sizeOf is the size of a frame in a file, from that of its block in the queue.
func (w *writer) sizeOf(block int) int64 {
	if w.opts.Format == savefile.Pcap {
		return int64(block - savefile.PacketSize(0) + savefile.PcapRecordSize(0)) // up to 3 more than it is
	}
	return int64(block)
}

// fits reports whether a frame goes into the present file.
func (w *writer) fits(f *file, n int, now time.Time) bool {
	if !f.until.IsZero() && !now.Before(f.until) {
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
		if w.opts.Format == savefile.Pcapng {
			b := savefile.AppendInterface(nil, st.block)
			f.size += int64(len(b))
			if err := w.put(f, b); err != nil {
				return nil, err
			}
		}
	}
	if st.first == nil {
		st.first = f
	}
	st.iface.begun = st.iface.begun || st.first != f
	return f, nil
}

// detached ends a stream.
func (w *writer) detached(id uint32, sum sensor.Forwarded) {
	st := w.table[id]
	if g := st.group; g.file != nil && st.file == g.file {
		addForwarded(&st.iface.numbers, sum)
	}
	st.group.idle = time.Now()
	w.mu.Lock()
	w.release(id)
	w.mu.Unlock()
}

// put writes or gathers blocks for a file.
func (w *writer) put(f *file, b []byte) error {
	if f == nil || len(b) == 0 {
		return nil
	}
	if !w.buffered {
		err := w.emit(f, b)
		w.mark(f)
		return err
	}
	f.dirty = true
	w.mark(f)
	if w.opts.Format == savefile.Pcap {
		return w.putRecords(f, b)
	}
	large := len(b) > bufferSize/2
	if large || len(f.buf)+len(b) > bufferSize {
		if err := w.emitBuffer(f); err != nil {
			w.unwritten(b)
			return err
		}
	}
	if large {
		return w.emit(f, b)
	}
	f.buf = append(f.buf, b...)
	return nil
}

// putRecords makes the records of a classic file.
func (w *writer) putRecords(f *file, b []byte) error {
	for len(b) > 0 {
		p := blockFrame(b)
		f.buf = savefile.AppendPcapRecord(f.buf, &p)
		b = b[blockLength(b):]
		if len(f.buf) < bufferSize {
			continue
		}
		if err := w.emitBuffer(f); err != nil {
			w.unwritten(b)
			return err
		}
	}
	return nil
}

// emit writes to a file, which is opened again if it must be.
func (w *writer) emit(f *file, b []byte) error {
	err := w.use(f)
	if err != nil {
		f.lose(b, 0)
	} else {
		err = f.emit(b)
	}
	if err != nil {
		return w.failed(f, err)
	}
	return nil
}

// emitBuffer writes what was gathered.
func (w *writer) emitBuffer(f *file) error {
	b := f.buf
	f.buf = f.buf[:0]
	if len(b) == 0 {
		return nil
	}
	return w.emit(f, b)
}

// unwritten counts frames of the queue that a failure has kept out of a file. What compressed files lack is counted when
// they are recovered.
func (w *writer) unwritten(b []byte) {
	if w.opts.Compress == Uncompressed {
		w.lost.Add(countFrames(b))
	}
}

// mark notes that a file has something that readers do not see yet.
func (w *writer) mark(f *file) {
	if f.dirty && !f.listed {
		f.listed = true
		w.dirty = append(w.dirty, f)
	}
}

// flush makes what was put into files visible to readers.
func (w *writer) flush() error {
	w.flushed = time.Now()
	list := w.dirty
	w.dirty = w.dirty[:0]
	for _, f := range list {
		f.listed = false
		if !f.dirty {
			continue // completed, or closed for a while
		}
		f.dirty = false
		if err := w.emitBuffer(f); err != nil {
			return err
		}
		if f.enc == nil {
			continue // not compressed, or closed for a while
		}
		if err := f.enc.Flush(); err != nil {
			return w.failed(f, err)
		}
		f.dirty = false // which writing has set
	}
	return nil
}

// failed names the file in an error.
func (w *writer) failed(f *file, err error) error {
	return failure("write", filepath.Join(w.dir, f.part()), err)
}

// create begins a file.
func (w *writer) create(g *group, linkType uint32, now time.Time) (*file, error) {
	f := &file{group: g, sink: w.Sink, begun: now, index: make(map[interfaceKey]*fileInterface)}
	if w.opts.RotateTime > 0 {
		f.until = boundary(now, w.opts.RotateTime)
	}
	base := expand(w.rest, now, g.source)
	if suffix := w.opts.Compress.suffix(); filepath.Ext(base) != suffix {
		base += suffix
	}
	if base != g.base {
		g.base, g.number = base, 0
	}
	if err := w.makeRoom(); err != nil {
		return nil, w.failed(f, err)
	}
	for f.fd == nil {
		g.number++
		f.name = numbered(base, g.number)
		if err := w.open(f); err != nil {
			return nil, w.failed(f, err)
		}
	}
	if err := w.place.ledger.begin(f.name, g.series); err != nil {
		return nil, errors.Join(w.failed(f, err), f.fd.Close(), w.place.root.Remove(f.part()))
	}
	if err := w.attach(f); err != nil {
		return nil, w.failed(f, err)
	}
	g.file = f
	w.files[f] = struct{}{}
	w.openFiles.Add(1)
	var b []byte
	if w.opts.Format == savefile.Pcap {
		b = savefile.AppendPcapHeader(nil, linkType)
		f.buf, f.dirty = append(f.buf, b...), true
		w.mark(f)
	} else {
		b = savefile.AppendSectionHeader(nil, application)
		if err := w.put(f, b); err != nil {
			return nil, err
		}
	}
	f.size += int64(len(b))
	return f, nil
}

// open makes NAME.part if there is neither that nor NAME. fd stays nil if the name is taken.
func (w *writer) open(f *file) error {
	root := w.place.root
	if _, err := root.Lstat(f.name); !isGone(err) {
		return err // nil: taken
	}
	if dir := filepath.Dir(f.name); dir != "." {
		if err := root.MkdirAll(dir, dirMode); err != nil {
			return err
		}
	}
	fd, err := root.OpenFile(f.part(), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, fileMode)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	f.fd = fd
	return err
}

// use makes sure that a file is open.
func (w *writer) use(f *file) error {
	if f.fd != nil {
		w.recent.MoveToFront(f.place)
		return nil
	}
	if err := w.makeRoom(); err != nil {
		return err
	}
	fd, err := w.place.root.OpenFile(f.part(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	f.fd = fd
	return w.attach(f)
}

// attach puts an open file among those.
func (w *writer) attach(f *file) (err error) {
	f.place = w.recent.PushFront(f)
	if w.opts.Compress != Uncompressed {
		f.enc, err = w.encoders.get(f)
	}
	return err
}

// makeRoom closes the file that was not used for longest if there are as many as there may be.
func (w *writer) makeRoom() error {
	for w.recent.Len() >= w.opts.MaxOpen {
		f := w.recent.Back().Value.(*file)
		err := w.suspend(f)
		if err == nil && f.unsynced && w.opts.SyncEvery > 0 {
			err = f.fd.Sync()
			f.unsynced = false
		}
		if err = errors.Join(err, f.fd.Close()); err != nil {
			return fmt.Errorf("close %s: %w", f.part(), err)
		}
		f.fd = nil
	}
	return nil
}

// suspend ends what the encoder has begun and takes a file out of the order of use. fd and the buffer stay.
func (w *writer) suspend(f *file) (err error) {
	if f.enc != nil {
		err = f.enc.Close()
		f.broken = f.broken || err != nil
		w.encoders.put(f.enc)
		f.enc = nil
	}
	f.dirty = len(f.buf) > 0
	w.recent.Remove(f.place)
	f.place = nil
	return err
}
