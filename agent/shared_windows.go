package agent

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// Programs that read a status file, a virus scanner for one, keep it from being replaced for a moment.
const (
	busyAttempts = 10
	busyPause    = 20 * time.Millisecond
)

// openShared opens a file for reading so that the agent can replace it meanwhile: other than os.Open, os.Root grants that.
func openShared(path string) (*os.File, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Open(filepath.Base(path))
}

// patiently does something again that failed because another program has a file open.
func patiently(do func() error) (err error) {
	for range busyAttempts {
		if err = do(); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(busyPause)
	}
	return err
}
