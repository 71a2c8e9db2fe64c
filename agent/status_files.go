package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"rpcapd/filelock"
	"rpcapd/openflag"
)

// Names of the files in the run directory.
const (
	StatusFile  = "status.json"
	MetricsFile = "rpcapd.prom"
	temporary   = ".tmp" // appended to a name while the file is written
)

// Agents that start at once look for each other so often, and wait so long in between.
const (
	lockAttempts = 5
	lockPause    = 40 * time.Millisecond
)

// RunFiles are all names that an agent uses in its run directory.
var RunFiles = []string{lockName, StatusFile, MetricsFile, StatusFile + temporary, MetricsFile + temporary, emptyName}

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
	lock    *os.File
	metrics []byte // reused
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
			who := "another agent"
			if pid > 0 {
				who += fmt.Sprintf(", process %d", pid)
			}
			return nil, fmt.Errorf("%s is in use by %s; give this one its own with --run-dir", d.root.Name(), who)
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
	file, err := f.create(temp)
	if errors.Is(err, fs.ErrExist) {
		if err := f.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		file, err = f.create(temp)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return patiently(func() error { return f.root.Rename(temp, name) })
}

// create makes a file that was not there.
func (f *statusFiles) create(name string) (*os.File, error) {
	return f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|openflag.NoWait|openflag.NoFollow, 0o644)
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

// writeStatus brings the files up to date until ctx ends: soon after what shows at once has changed, and for the numbers
// alone each statusRefresh, or each statusIdle while no frame comes.
func (s *Supervisor) writeStatus(ctx context.Context, files *statusFiles) {
	due := time.NewTimer(0)
	defer due.Stop()
	var (
		changes, moves uint64 // at the last writing
		written        time.Time
		first          = true
		trouble        = writeTrouble{log: s.log, dir: files.root.Name()}
	)
	for {
		c, m, now := s.changes.Load(), s.moves(), time.Now()
		if first || c != changes || m != moves || now.Sub(written) >= statusIdle {
			changes, moves, written = c, m, now
			trouble.note(s.writeFiles(files, s.Status()))
		}
		if first {
			first = false
			s.sayStarted()
		}
		due.Reset(statusRefresh)
		if !s.statusDue(ctx, due, written.Add(statusPause)) {
			return
		}
	}
}

// statusDue returns when it is time to look after the status files, false when ctx has ended. soon is when a change may be
// written.
func (s *Supervisor) statusDue(ctx context.Context, due *time.Timer, soon time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due.C:
			return true
		case <-s.statusNow:
			return true
		case <-s.statusSoon:
			due.Reset(time.Until(soon))
		}
	}
}

// moves counts what the forwarders of the running captures have done.
func (s *Supervisor) moves() (n uint64) {
	for _, x := range s.snapshot() {
		if c := x.running(); c != nil {
			n += c.forwarder.captured.Load()
		}
	}
	return n
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
	files.metrics = appendMetrics(files.metrics[:0], st)
	return files.replace(MetricsFile, files.metrics)
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
		Name:      s.policy.Load().SensorName,
	}
	s.mu.Lock() // a session that ends is counted once
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		st.Sessions = append(st.Sessions, x.snapshot())
	}
	for _, x := range s.leaving {
		one := x.snapshot()
		one.Detail = x.leaving + "; what it has is sent"
		st.Sessions = append(st.Sessions, one)
	}
	s.describeLines(st)
	return st
}

// describeLines tells of the lines that mean several interfaces. mu is held.
func (s *Supervisor) describeLines(st *Status) {
	if len(s.selections) > 0 {
		st.MaxSessions = s.policy.Load().SessionLimit()
	}
	for _, line := range s.selections {
		st.Lines = append(st.Lines, LineStatus{
			Line: line.target.Line, Sensor: line.sensor, Select: line.target.Select.String(),
			Interfaces: append([]string{}, line.chosen...), RefusedCount: len(line.refused),
			Refused: line.refused[:min(len(line.refused), maxNames)], Elsewhere: line.elsewhere[:min(len(line.elsewhere), maxNames)],
		})
	}
	for _, sh := range s.shares {
		if sh.ended.Sessions > 0 {
			st.Ended = append(st.Ended, sh.ended)
		}
	}
	slices.SortFunc(st.Ended, func(a, b EndedStatus) int { return strings.Compare(a.Sensor, b.Sensor) })
}
