package agent

import (
	"bytes"
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

// RunFiles are all names that an agent uses in its run directory.
var RunFiles = []string{lockName, StatusFile, MetricsFile, StatusFile + temporary, MetricsFile + temporary}

// statusFiles is the run directory, held under a lock so that two agents do not
// overwrite each other's status.
type statusFiles struct {
	dir  string
	lock *os.File
}

// openStatusFiles returns nil without a directory. The directory is made if its
// parent exists and it may be.
func openStatusFiles(dir string) (*statusFiles, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("%s is in use by another agent, give this one its own with --run-dir: %w", dir, err)
	}
	return &statusFiles{dir: dir, lock: lock}, nil
}

// close removes the files: a status that outlives its agent would lie.
func (f *statusFiles) close() {
	os.Remove(filepath.Join(f.dir, StatusFile))
	os.Remove(filepath.Join(f.dir, MetricsFile))
	f.lock.Close()
}

// replace writes a file so that a reader sees the old or the new content, whole.
func (f *statusFiles) replace(name string, content []byte) error {
	path := filepath.Join(f.dir, name)
	tmp := path + temporary
	if err := os.WriteFile(tmp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
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
	var last []byte
	var written time.Time
	failed := false
	for {
		st := s.Status()
		now := st.Updated
		st.Updated = time.Time{}
		body, err := json.Marshal(st)
		if err == nil && (!bytes.Equal(body, last) || now.Sub(written) >= statusRefresh) {
			last, written = body, now
			st.Updated = now
			err = s.writeFiles(files, st)
		}
		if err != nil && !failed {
			s.log.Warn("write status files", zap.String("dir", files.dir), zap.Error(err))
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
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
	}
	for _, x := range s.snapshot() {
		st.Sessions = append(st.Sessions, x.snapshot())
	}
	return st
}
