package files

import (
	"time"

	"rpcapd/savefile"
)

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
			w.unwritten(f, b)
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
	for block := range savefile.Blocks(b) {
		p := block.Packet()
		f.buf = savefile.AppendPcapRecord(f.buf, &p)
		b = b[len(block):]
		if len(f.buf) < bufferSize {
			continue
		}
		if err := w.emitBuffer(f); err != nil {
			w.unwritten(f, b)
			return err
		}
	}
	return nil
}

// emit writes to a file, which is opened again if it must be.
func (w *writer) emit(f *file, b []byte) error {
	if f.left {
		return nil // given up, and what it had is counted
	}
	err := w.use(f)
	switch {
	case err == nil:
		err = f.emit(b)
	case isTaken(err):
		w.abandon(f, err)
		return nil
	default:
		f.lose(b, 0)
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
// they are finished.
func (w *writer) unwritten(f *file, b []byte) {
	if w.opts.Compress == Uncompressed {
		f.loseBlocks(b)
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
