package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
)

// finishQueue bounds the files that are ended and do not have their names yet: the disk may be slow to take them.
const finishQueue = 16

// finisher gives complete files their names and deletes old ones, beside the goroutine that writes: an fsync of a large
// file takes longer than the queue of frames lasts.
type finisher struct {
	*Sink
	place  *place
	jobs   chan *file
	syncs  chan []*os.File // capacity 1
	looks  chan struct{}   // capacity 1
	failed chan error      // capacity 1: the first error
	wg     sync.WaitGroup
	cancel context.CancelFunc
}

func newFinisher(s *Sink, p *place) *finisher {
	return &finisher{
		Sink: s, place: p, jobs: make(chan *file, finishQueue), syncs: make(chan []*os.File, 1),
		looks: make(chan struct{}, 1), failed: make(chan error, 1),
	}
}

func (f *finisher) look() {
	select {
	case f.looks <- struct{}{}:
	default:
	}
}

func (f *finisher) sync(list []*os.File) {
	select {
	case f.syncs <- list:
	default: // the last time is not over yet
	}
}

// rename gives a part its name, or another one if somebody else has taken it, and makes that durable.
func (f *finisher) rename(part, name string) (string, error) {
	root := f.place.root
	taken := name
	for n := 2; ; n++ {
		if _, err := root.Lstat(taken); isGone(err) {
			break
		} else if err != nil {
			return "", err
		}
		taken = numbered(name, n)
	}
	if err := root.Rename(part, taken); err != nil {
		return "", err
	}
	if !f.opts.SyncAtClose {
		return taken, nil
	}
	return taken, syncDirectory(root, filepath.Dir(taken))
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
