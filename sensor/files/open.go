package files

import (
	"errors"
	"fmt"
	"os"
)

// use makes sure that a file is open.
func (w *writer) use(f *file) error {
	if f.fd != nil {
		w.recent.MoveToFront(f.place)
		return nil
	}
	if err := w.makeRoom(); err != nil {
		return err
	}
	if err := f.look(w.place, f.part()); err != nil { // never append to somebody else's
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

// leave takes a file from its group.
func (w *writer) leave(f *file) {
	f.left = true
	f.group.file = nil
	delete(w.files, f)
	w.openFiles.Add(-1)
}

// abandon gives a file up that somebody has taken away.
func (w *writer) abandon(f *file, cause error) {
	if f.place != nil {
		_ = w.suspend(f) // there is nothing left to be completed
	}
	if f.fd != nil {
		_ = f.fd.Close() // likewise
	}
	w.leave(f)
	w.inUse.Add(-f.disk)
	w.finisher.givenUp(f, cause)
}
