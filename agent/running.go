package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rpcapd/filelock"
)

// ErrNotRunning says that no agent uses a run directory.
var ErrNotRunning = errors.New("no agent is running")

// Running returns the status of the agent that holds a run directory. Unlike ReadStatus it does not take the file of an
// agent that was killed for an answer, and its PID is that of the process that holds the directory, whatever the file
// says. The error is ErrNotRunning if there is none.
func Running(dir string) (*Status, error) {
	f, pid, err := openHeld(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	st, err := ReadStatus(dir)
	if err == nil && pid > 0 {
		st.PID = pid
	}
	return st, err
}

// Signal sends a signal to the process that holds a run directory, and to no other: the status file belongs to the user
// that the agent runs as, and could name any process. It returns the process's number.
func Signal(dir string, sig os.Signal) (pid int, err error) {
	f, pid, err := openHeld(dir)
	if err != nil {
		return 0, err
	}
	defer f.Close() // read only
	if pid == 0 {
		return 0, errors.New("signal the agent: it runs in another PID namespace (a container); signal it from there")
	}
	p, err := os.FindProcess(pid) // a pidfd, where there are any: it stays the same process
	if err != nil {
		return 0, fmt.Errorf("signal the agent: %w", err)
	}
	defer func() { _ = p.Release() }() // fails only if it was released before
	// If it held the directory before and after it was found, that process was found.
	if again, held, err := holderOf(f); err != nil || !held || again != pid {
		return 0, fmt.Errorf("signal the agent: process %d has ended: %w", pid, ErrNotRunning)
	}
	if err := p.Signal(sig); err != nil {
		return 0, fmt.Errorf("signal the agent, process %d: %w", pid, err)
	}
	return pid, nil
}

// openHeld opens the lock file of a run directory that an agent holds.
func openHeld(dir string) (f *os.File, pid int, err error) {
	f, err = openRegular(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("%w with the run directory %s; name another one with --run-dir", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("find agent: %w", err)
	}
	pid, held, err := holderOf(f)
	switch {
	case err != nil:
		err = fmt.Errorf("find agent: %w", err)
	case !held:
		err = fmt.Errorf("%w with the run directory %s; name another one with --run-dir", ErrNotRunning, dir)
	default:
		return f, pid, nil
	}
	f.Close()
	return nil, 0, err
}

// holderOf is the process that holds the lock file of a run directory. Without such locks somebody is taken to hold it: the
// status file's word stands.
func holderOf(f *os.File) (pid int, held bool, err error) {
	pid, held, err = filelock.Holder(f, filelock.Range{})
	if errors.Is(err, errors.ErrUnsupported) {
		return 0, true, nil
	}
	return pid, held, err
}
