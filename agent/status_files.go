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
)

// Names of the files in the run directory.
const (
	StatusFile  = "status.json"
	MetricsFile = "rpcapd.prom"
	lockName    = "rpcapd.lock"
	temporary   = ".tmp" // appended to a name while the file is written
)

// An agent that starts tries to lock its run directory so often, and waits so long in between.
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
	f, err := d.root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock run directory %s: %w", d.root.Name(), err)
	}
	if err := lockSoon(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is in use by another agent, give this one its own with --run-dir: %w", d.root.Name(), err)
	}
	return &statusFiles{RunDir: d, lock: f}, nil
}

// lockSoon takes the lock, if need be after whoever looks for a running agent has let it go (lockedByOther).
func lockSoon(f *os.File) error {
	for range lockAttempts - 1 {
		if lockFile(f) == nil {
			return nil
		}
		time.Sleep(lockPause)
	}
	return lockFile(f)
}

// close removes the files: a status that outlives its agent would lie.
func (f *statusFiles) close() {
	f.root.Remove(StatusFile)
	f.root.Remove(MetricsFile)
	f.lock.Close()
	f.root.Close()
}

// replace writes a file so that a reader sees the old or the new content, whole.
func (f *statusFiles) replace(name string, content []byte) error {
	if err := f.root.WriteFile(name+temporary, content, 0o644); err != nil {
		return err
	}
	return f.root.Rename(name+temporary, name)
}

// ReadStatus reads the status file of a running agent from its run directory.
func ReadStatus(dir string) (*Status, error) {
	path := filepath.Join(dir, StatusFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read status: no agent writes to %s: is rpcapd running, and with this run directory? %w", dir, err)
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
	failed, first := false, true
	for {
		var err error
		if n, now := s.changes.Load(), time.Now(); n != shown || now.Sub(written) >= statusRefresh {
			shown, written = n, now
			err = s.writeFiles(files, s.Status())
		}
		if err != nil && !failed {
			s.log.Warn("write status files", zap.String("dir", files.root.Name()), zap.Error(err))
		}
		failed = err != nil
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
		Version: s.opts.Version,
		PID:     os.Getpid(),
		Config:  s.opts.ConfigFile,
		Started: s.started,
		Updated: time.Now(),
		Reload:  s.reloaded(),
	}
	for _, x := range s.snapshot() {
		st.Sessions = append(st.Sessions, x.snapshot())
	}
	return st
}
