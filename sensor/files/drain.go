package files

import (
	"context"
	"errors"
	"time"

	"rpcapd/savefile"
)

// run writes until ctx ends or something fails. All files are complete when it returns, as far as that is possible.
func (w *writer) run(ctx context.Context) (err error) {
	w.finisher.start(ctx)
	tick := time.NewTicker(w.every)
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
		case <-w.queue.Queued():
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
		c := w.queue.Take()
		w.table = w.streams
		w.mu.Unlock()
		if c == nil {
			return nil
		}
		done, err := w.chunk(c.Data)
		w.mu.Lock()
		if err != nil {
			w.loseQueued(c.Data[done:])
			w.detachAll(c.Data[done:])
		}
		w.queue.GiveBack(c)
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
	at := 0
	for b := range savefile.Blocks(c) {
		n, id := len(b), b.Interface()
		if b.Type() == recordDetach {
			if err := w.put(to, c[start:at]); err != nil {
				return at, err
			}
			w.detached(id, parseDetach(b))
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
		b.SetInterface(st.iface.id)
		st.iface.numbers.Delivered++
		f.frames++
		caplen := uint64(b.Caplen())
		f.data += caplen
		st.share.add(tally{1, caplen})
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
