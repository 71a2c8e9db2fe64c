package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"go.uber.org/zap"
)

const (
	// crashFile is in the run directory. The runtime writes there why it has ended the process: a service has no console.
	crashFile = "crash.txt"
	// crashHead is what of it goes into the event log, in bytes.
	crashHead = 4 << 10
)

// noteCrash has a crash of this process written to a file, and tells the event log of the one before.
func noteCrash(runDir string, events *zap.Logger) {
	path := filepath.Join(runDir, crashFile)
	if f, err := os.Open(path); err == nil {
		head, _ := io.ReadAll(io.LimitReader(f, crashHead)) // what could be read is told
		f.Close()
		if text := strings.TrimSpace(string(head)); text != "" {
			kept := path + ".old"
			events.Error(eventCrashed, zap.String("file", kept), zap.String("begins", text))
			_ = os.Rename(path, kept) // the event has the most of it
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return // the run directory is missing or not ours, which the agent says itself
	}
	defer f.Close() // the runtime has a handle of its own
	_ = debug.SetCrashOutput(f, debug.CrashOptions{})
}
