package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"rpcapd/filelock"
	"rpcapd/openflag"
)

// Names of the files in the run directory.
const (
	StatusFile  = "status.json"
	MetricsFile = "rpcapd.prom"
	lockName    = "rpcapd.lock"
	temporary   = ".tmp" // appended to a name while the file is written
)

// Agents that start at once look for each other so often, and wait so long in between.
const (
	lockAttempts = 5
	lockPause    = 40 * time.Millisecond
)

// RunFiles are all names that an agent uses in its run directory.
var RunFiles = []string{lockName, StatusFile, MetricsFile, StatusFile + temporary, MetricsFile + temporary, emptyName}

// RunDir is the run directory, held open: an agent that has given up root may not be
// able to reach it by its path any more.
type RunDir struct{ root *os.Root }

// OpenRunDir makes the directory if need be and opens it.
func OpenRunDir(dir string) (*RunDir, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open run directory: %w", err)
	}
	return &RunDir{root: root}, nil
}

// statusFiles is the run directory under a lock, so that two agents do not overwrite
// each other's status.
type statusFiles struct {
	*RunDir
	lock *os.File
}

// hold takes the directory for this agent; nil without one.
func (d *RunDir) hold() (*statusFiles, error) {
	if d == nil {
		return nil, nil
	}
	f, err := d.root.OpenFile(lockName, os.O_CREATE|os.O_RDWR|openflag.NoWait|openflag.NoFollow, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock run directory %s: %w", d.root.Name(), err)
	}
	if err := regular(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock run directory %s: %w", d.root.Name(), err)
	}
	// The kernel names the process that has such a lock, which no file can be trusted to do.
	if err := filelock.Write(f, filelock.Range{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		defer f.Close()
		if pid, held, _ := filelock.Holder(f, filelock.Range{}); held {
			return nil, fmt.Errorf("%s is in use by another agent, process %d; give this one its own with --run-dir", d.root.Name(), pid)
		}
		return nil, fmt.Errorf("lock run directory %s: %w", d.root.Name(), err)
	}
	return &statusFiles{RunDir: d, lock: f}, nil
}

// close removes the files: a status that outlives its agent would lie.
func (f *statusFiles) close() {
	f.root.Remove(StatusFile)
	f.root.Remove(MetricsFile)
	f.lock.Close()
	f.root.Close()
}

// replace writes a file so that a reader sees the old or the new content, whole. What lies in the way is removed and
// never opened: it may be a pipe without a reader, or a link to another file.
func (f *statusFiles) replace(name string, content []byte) error {
	temp := name + temporary
	if err := f.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|openflag.NoWait|openflag.NoFollow, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.root.Rename(temp, name)
}

// ReadStatus reads the status file of a running agent from its run directory.
func ReadStatus(dir string) (*Status, error) {
	path := filepath.Join(dir, StatusFile)
	b, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read status: no agent writes to %s; check that rpcapd runs with this run directory: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	var s Status
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read status %s: %w", path, err)
	}
	return &s, nil
}

// writeStatus brings the files up to date until ctx ends.
func (s *Supervisor) writeStatus(ctx context.Context, files *statusFiles) {
	tick := time.NewTicker(statusInterval)
	defer tick.Stop()
	var shown uint64 // changes at the last writing
	var written time.Time
	trouble := writeTrouble{log: s.log, dir: files.root.Name()}
	first := true
	for {
		if n, now := s.changes.Load(), time.Now(); n != shown || now.Sub(written) >= statusRefresh {
			shown, written = n, now
			trouble.note(s.writeFiles(files, s.Status()))
		}
		if first {
			first = false
			s.sayStarted()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.statusNow:
		}
	}
}

// writeTrouble logs that status files cannot be written, once, and that they can be again.
type writeTrouble struct {
	log    *zap.Logger
	dir    string
	failed uint64 // times in succession
}

func (w *writeTrouble) note(err error) {
	switch {
	case err != nil && w.failed == 0:
		w.log.Warn("status files not written: rpcapd status and the metrics stay as they were", zap.String("dir", w.dir), zap.Error(err))
	case err == nil && w.failed > 0:
		w.log.Info("status files written again", zap.String("dir", w.dir), zap.Uint64("failed", w.failed))
	}
	if err != nil {
		w.failed++
		return
	}
	w.failed = 0
}

func (s *Supervisor) writeFiles(files *statusFiles, st *Status) error {
	body, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	if err := files.replace(StatusFile, append(body, '\n')); err != nil {
		return err
	}
	return files.replace(MetricsFile, appendMetrics(nil, st))
}

// Status describes the agent now.
func (s *Supervisor) Status() *Status {
	st := &Status{
		Version:   s.opts.Version,
		PID:       os.Getpid(),
		Config:    s.opts.ConfigFile,
		Started:   s.started,
		Updated:   time.Now(),
		Reload:    s.reloaded(),
		Sheddings: s.limits.shed.count(),
	}
	for _, x := range s.snapshot() {
		st.Sessions = append(st.Sessions, x.snapshot())
	}
	return st
}
