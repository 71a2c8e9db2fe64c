package main

import (
	"os"
	"path/filepath"

	"rpcapd/agent"
)

// serviceRunDir is the run directory of the service; its instances have it with "-NAME" behind.
const serviceRunDir = "/run/rpcapd"

// defaultRunDir is where the status files are: what systemd made for the unit,
// else /run/rpcapd for root, else the user's own run directory, else one below the folder for temporary files.
func defaultRunDir() string {
	if d := os.Getenv("RUNTIME_DIRECTORY"); d != "" {
		return d
	}
	if os.Geteuid() == 0 {
		return serviceRunDir
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "rpcapd")
	}
	return fallbackRunDir(os.Geteuid())
}

// clientRunDir is where a command looks for the agent that it asks: the user's own one if there is one, else the
// service's, whose status everybody may read.
func clientRunDir() string {
	own := defaultRunDir()
	if own == serviceRunDir || os.Getenv("RUNTIME_DIRECTORY") != "" {
		return own
	}
	if own != "" {
		if _, err := agent.Running(own); err == nil {
			return own
		}
	}
	return serviceRunDir
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
