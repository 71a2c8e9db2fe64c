package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// What has happened to a directory or a file that is not where it was.
var (
	errMoved     = errors.New("it was moved or deleted while it was in use")
	errReplaced  = errors.New("another file is in its place; it was moved, or a file system is mounted over it")
	errTruncated = errors.New("another program cut it while it was in use")
	errOccupied  = errors.New("another file has its name")
)

// takenError is about one file that somebody else has taken away, while its directory is where it was.
type takenError struct{ error }

func (e takenError) Unwrap() error { return e.error }

func isTaken(err error) bool {
	var e takenError
	return errors.As(err, &e)
}

// toldEvery is how long no further line is logged about files that others have taken away, or that cannot be deleted.
const toldEvery = 10 * time.Minute

// look reports whether the directory is where it was.
func (p *place) look() error {
	now, err := os.Stat(p.dir)
	switch {
	case isGone(err):
		err = errMoved
	case err == nil && !os.SameFile(now, p.info):
		err = errReplaced
	}
	if err != nil {
		return failure("write into", p.dir, err)
	}
	return nil
}

// look reports whether a file is where it was, under a name, with all that was written.
func (f *file) look(p *place, name string) error {
	now, err := p.root.Lstat(name)
	switch {
	case isGone(err):
		return takenError{errMoved}
	case err != nil:
		return err
	case !os.SameFile(now, f.info):
		return takenError{errReplaced}
	case now.Size() < f.disk:
		return takenError{errTruncated}
	}
	return nil
}

// look settles the frames that are where they belong. A directory that is not ends the run; a file that is not is given up,
// and the next frame of its group begins another.
func (w *writer) look() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.place.look(); err != nil {
		return err
	}
	for f := range w.files {
		if f.looked == f.frames {
			continue
		}
		switch err := f.look(w.place, f.part()); {
		case err == nil:
			f.settle()
		case isTaken(err):
			w.abandon(f, err)
		default:
			return w.failed(f, err)
		}
	}
	return nil
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

// givenUp counts as dropped what was written to a file since the last look, and says so.
func (f *finisher) givenUp(gone *file, cause error) {
	lost := gone.loseAll()
	if !errors.Is(cause, errTruncated) { // else the next start completes what is left
		f.place.ledger.forget(gone.name)
	}
	err := fmt.Errorf("file %s is abandoned and a new one begun: %w; %d of its frames are lost; do not change .part files",
		filepath.Join(f.dir, gone.part()), cause, lost.frames)
	f.mu.Lock()
	f.note(err)
	f.takenAway++
	f.mu.Unlock()
	if missed, ok := f.told.Due("taken", 1, time.Now()); ok {
		f.opts.Log.Warn("file moved or deleted while in use", zap.String("output", f.opts.Name), zap.Error(err), zap.Int("files", missed+1))
	}
}
