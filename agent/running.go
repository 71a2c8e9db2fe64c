package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotRunning says that no agent uses a run directory.
var ErrNotRunning = errors.New("no agent is running")

// Running returns the status of the agent that holds a run directory. Unlike ReadStatus it does not take the file of an
// agent that was killed for an answer. The error is ErrNotRunning if there is none.
func Running(dir string) (*Status, error) {
	f, err := os.Open(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w with the run directory %s", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("find agent: %w", err)
	}
	defer f.Close() // read only
	if !lockedByOther(f) {
		return nil, fmt.Errorf("%w with the run directory %s", ErrNotRunning, dir)
	}
	return ReadStatus(dir)
}
