package files

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// start begins with the files that an earlier run has left.
func (f *finisher) start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(ctx)
	old := f.place.ledger.interrupted()
	f.wg.Go(func() { f.recoverAll(ctx, old) })
	f.wg.Go(f.work)
}

// stop waits until everything is done and returns the first error that nobody has seen.
func (f *finisher) stop() error {
	f.cancel()
	close(f.jobs)
	f.wg.Wait()
	select {
	case err := <-f.failed:
		return err
	default:
		return nil
	}
}

func (f *finisher) fail(err error) {
	select {
	case f.failed <- err:
	default:
	}
}

// work is the goroutine.
func (f *finisher) work() {
	f.retain()
	for {
		select {
		case done, more := <-f.jobs:
			if !more {
				return
			}
			if err := f.finish(done); err != nil {
				f.fail(failure("complete", filepath.Join(f.dir, done.name), err))
			}
			f.inUse.Add(-done.disk)
			f.retain()
		case list := <-f.syncs:
			for _, fd := range list {
				if err := fd.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
					f.fail(failure("fsync", fd.Name(), err))
				}
			}
		case <-f.looks:
			f.retain()
		}
	}
}

// finish gives a file its name. One without a frame is removed.
func (f *finisher) finish(done *file) error {
	root, l := f.place.root, f.place.ledger
	var err error
	if done.fd != nil {
		if f.opts.SyncAtClose && done.frames > 0 {
			err = done.fd.Sync()
		}
		err = errors.Join(err, done.fd.Close())
	}
	if err != nil || done.broken { // the next run completes what can be read
		done.loseSome(tally{done.frames, done.data}.less(done.gone).less(f.salvageable(done)))
		_ = f.settle(done, done.part()) // the first error counts
		return err
	}
	if done.frames == 0 || done.disk == 0 {
		l.forget(done.name)
		if err := root.Remove(done.part()); !isGone(err) {
			return err
		}
		return nil
	}
	moved := f.settle(done, done.part())
	if isTaken(moved) {
		f.givenUp(done, moved)
		return nil
	}
	name, err := f.rename(done.part(), done.name)
	if err = errors.Join(moved, err); err != nil {
		return err
	}
	l.complete(done.name, finished{name: name, series: done.group.series, size: done.disk})
	f.completed.Add(1)
	path := filepath.Join(f.dir, name)
	f.last.Store(&path)
	f.opts.Log.Debug("file complete", zap.String("file", path), zap.Uint64("frames", done.frames), zap.Int64("bytes", done.disk))
	return nil
}

// salvageable is what can be read of a file that was not completed.
func (f *finisher) salvageable(done *file) (t tally) {
	fd, err := f.place.root.Open(done.part())
	if err != nil {
		return t
	}
	defer fd.Close() // nothing was written
	plain, end, err := decoder(compressionOf(done.name), readerUntil{context.Background(), bufio.NewReaderSize(fd, 1<<16)})
	if err != nil {
		return t
	}
	defer end()
	_, t, _, _ = copyWhole(io.Discard, bufio.NewReaderSize(plain, 1<<18), f.opts.Format) // io.Discard never fails
	return t
}

// settle counts the frames of a file that nobody writes to any more, if it is where it belongs under a name.
func (f *finisher) settle(done *file, name string) error {
	err := done.look(f.place, name)
	if err == nil {
		err = f.place.look()
	}
	if err == nil {
		done.settle()
	} else if !isTaken(err) { // else whoever gives it up says how many were lost
		done.loseAll()
	}
	return err
}

// retain deletes what is too much. Only files that this sink has made, and that nobody has changed since, are deleted.
func (f *finisher) retain() {
	if !f.opts.retains() {
		return
	}
	root, l := f.place.root, f.place.ledger
	for _, old := range l.excess(f.opts.Keep, f.opts.KeepBytes, f.inUse.Load()) {
		path := filepath.Join(f.dir, old.name)
		switch info, err := root.Lstat(old.name); {
		case isGone(err):
		case err != nil:
			f.notDeleted("old file not deleted", path, err)
			continue
		case !info.Mode().IsRegular() || info.Size() != old.size:
			f.notDeleted("old file not deleted: another program has changed it, so the sensor keeps it", path, nil)
		default:
			if err := root.Remove(old.name); err != nil && !isGone(err) {
				f.notDeleted("old file not deleted; its directory must be writable", path, err)
				continue
			}
			f.deleted.Add(1)
		}
		l.forget(old.name)
	}
}

// notDeleted tells of a file that stays, and how many others did since the last line: all are tried again with each new file.
func (f *finisher) notDeleted(why, path string, err error) {
	if missed, ok := f.told.Due(why, 1, time.Now()); ok {
		f.opts.Log.Warn(why, zap.String("output", f.opts.Name), zap.String("file", path), zap.Error(err), zap.Int("since_the_last_line", missed))
	}
}
