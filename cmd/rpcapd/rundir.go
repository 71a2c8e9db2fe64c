package main

import (
	"os"
	"path/filepath"
)

// defaultRunDir is where the status files are: what systemd made for the unit,
// else /run/rpcapd for root, else the user's own run directory, else none.
func defaultRunDir() string {
	if d := os.Getenv("RUNTIME_DIRECTORY"); d != "" {
		return d
	}
	if os.Geteuid() == 0 {
		return "/run/rpcapd"
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "rpcapd")
	}
	return ""
}
