package files

import (
	"cmp"
	"errors"
	"maps"
	"os"
	"slices"
	"time"
)

// complete ends a file and hands it over to be given its name. The next frame of its group begins another one.
func (w *writer) complete(f *file, now time.Time) error {
	err := w.emitBuffer(f)
	if err == nil {
		err = w.emit(f, f.statistics(now))
	}
	if f.place != nil {
		if closeErr := w.suspend(f); closeErr != nil && err == nil {
			err = w.failed(f, closeErr)
		}
	}
	if f.left {
		return err // given up on the way
	}
	w.leave(f)
	w.finisher.jobs <- f
	return err
}

// tick looks at the clock.
func (w *writer) tick(now time.Time) error {
	if now.Sub(w.trimmed) >= trimEvery {
		w.trimmed = now
		w.mu.Lock()
		w.queue.Trim(spareChunks)
		w.mu.Unlock()
	}
	if err := w.look(); err != nil {
		return err
	}
	for f := range w.files {
		if f.over(now) {
			if err := w.complete(f, now); err != nil {
				return err
			}
		}
	}
	if w.opts.SyncEvery > 0 && now.Sub(w.synced) >= w.opts.SyncEvery {
		if err := w.syncAll(now); err != nil {
			return err
		}
	}
	if w.opts.KeepBytes > 0 {
		if err := w.shrink(now); err != nil {
			return err
		}
		w.finisher.look()
	}
	if !w.opts.PerAgent {
		return nil
	}
	for _, g := range w.idleGroups(now) {
		if g.file != nil {
			if err := w.complete(g.file, now); err != nil {
				return err
			}
		}
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

// shrink completes the largest files if those in use alone are more than KeepBytes, so that they can be deleted.
func (w *writer) shrink(now time.Time) error {
	list := slices.SortedFunc(maps.Keys(w.files), func(a, b *file) int { return cmp.Compare(b.disk, a.disk) })
	var total int64
	for _, f := range list {
		total += f.disk
	}
	for _, f := range list {
		if total <= w.opts.KeepBytes {
			return nil
		}
		total -= f.disk
		if err := w.complete(f, now); err != nil {
			return err
		}
	}
	return nil
}

// idleGroups takes out those whose agents have been away for idleGroup, and of one agent those that are more than maxIdle:
// it may have gone by many names.
func (w *writer) idleGroups(now time.Time) (idle []*group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := make(map[string][]*group)
	for _, g := range w.groups {
		switch {
		case g.streams > 0:
		case now.Sub(g.idle) >= idleGroup:
			idle = append(idle, g)
		default:
			agent := w.agentOf(g.series)
			waiting[agent] = append(waiting[agent], g)
		}
	}
	for _, list := range waiting {
		if n := len(list) - maxIdle; n > 0 {
			slices.SortFunc(list, func(a, b *group) int { return a.idle.Compare(b.idle) })
			idle = append(idle, list[:n]...)
		}
	}
	for _, g := range idle {
		delete(w.groups, g.key)
	}
	return idle
}

// syncAll hands what was written to the disk, in the goroutine of the finisher.
func (w *writer) syncAll(now time.Time) error {
	w.synced = now
	if err := w.flush(); err != nil {
		return err
	}
	var list []*os.File
	for f := range w.files {
		if f.fd != nil && f.unsynced {
			list = append(list, f.fd)
			f.unsynced = false
		}
	}
	w.finisher.sync(list)
	return nil
}

// end completes all files, waits until they have their names, and returns what went wrong with that. After a failure
// what is wrong is known already.
func (w *writer) end(failed bool) error {
	now := time.Now()
	var errs []error
	for f := range w.files {
		errs = append(errs, w.complete(f, now))
	}
	errs = append(errs, w.finisher.stop())
	if failed {
		return nil
	}
	return errors.Join(errs...)
}
