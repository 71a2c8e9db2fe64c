package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"rpcapd/openflag"
)

// emptyName is a request for one reload that may end all sessions. It lies in the run directory, so that the agent needs
// to listen on nothing for it.
//
// Who can write there can have the agent take an ini without sensors, which only root can have written; he cannot have it
// take another one, nor keep a request for later: it names the process and the reload that it is for.
const emptyName = "reload-empty"

// emptyRequest is what stands in the file: the process, and the reload that follows so many others.
func emptyRequest(pid int, reloads uint64) string { return fmt.Sprintf("%d %d\n", pid, reloads) }

// AllowEmpty lets the next reload of a running agent, whose status is st, leave no session. The caller withdraws the
// request when the reload is done.
func AllowEmpty(dir string, st *Status) (withdraw func(), err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("allow an empty configuration: %w", err)
	}
	defer root.Close()
	if err := root.Remove(emptyName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("allow an empty configuration: %w", err)
	}
	// Nothing is followed or reused: the directory belongs to the agent's user, the caller may be root.
	f, err := root.OpenFile(emptyName, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(emptyRequest(st.PID, st.Reload.Count))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("allow an empty configuration: %w", err)
	}
	return func() {
		if root, err := os.OpenRoot(dir); err == nil {
			_ = root.Remove(emptyName) // as a rule the agent has
			root.Close()
		}
	}, nil
}

// MayEmpty tells whether the reload that is being done may leave no session: there are none now, or it was asked for.
// A request is used up by this.
func (s *Supervisor) MayEmpty() bool {
	asked := s.takeEmptyRequest()
	s.mu.Lock()
	defer s.mu.Unlock()
	return asked || s.empty()
}

func (s *Supervisor) takeEmptyRequest() bool {
	if s.opts.RunDir == nil {
		return false
	}
	root := s.opts.RunDir.root
	info, err := root.Lstat(emptyName)
	if err != nil {
		return false
	}
	defer root.Remove(emptyName)
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return false
	}
	f, err := root.OpenFile(emptyName, os.O_RDONLY|openflag.NoWait, 0)
	if err != nil {
		s.log.Warn("cannot read the request for a reload without sessions: " + err.Error())
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64))
	return err == nil && string(text) == emptyRequest(os.Getpid(), s.reloaded().Count)
}
