package main

import (
	"os"
	"path/filepath"

	"rpcapd/agent"
)

// clientRunDir is where a command looks for the agent that it asks: where the environment says, the user's own one if there is
// one, else the service's, whose status everybody may read.
func clientRunDir() string {
	if dir := os.Getenv(environmentPrefix + "RUN_DIR"); dir != "" {
		return dir
	}
	own, service := defaultRunDir(), serviceRunDir()
	if own == service || os.Getenv("RUNTIME_DIRECTORY") != "" {
		return own
	}
	if own != "" {
		if _, err := agent.Running(own); err == nil {
			return own
		}
	}
	return service
}

// runDirOf finds the agent that uses an ini: in the run directory given, else in that of an instance of the service.
// Without one it is the directory given.
func runDirOf(given, file string) string {
	dirs, _ := filepath.Glob(given + "-*") // its only error is a bad pattern, and then there is no such directory
	for _, dir := range append([]string{given}, dirs...) {
		if st, err := agent.Running(dir); err == nil && st.Config == file {
			return dir
		}
	}
	return given
}
