//go:build !windows

package main

import (
	"os"
	"path/filepath"
	"runtime"
)

// configurationDir has the ini of the service.
func configurationDir() string {
	switch runtime.GOOS {
	case "freebsd", "dragonfly": // hier(7): what does not belong to the base system is below /usr/local
		return "/usr/local/etc/rpcapd"
	}
	return "/etc/rpcapd"
}

// serviceRunDir is the run directory of the service; its instances have it with "-NAME" behind.
func serviceRunDir() string { return runFolder(runtime.GOOS) + "/rpcapd" }

// runFolder is where services have their run directories: macOS and the BSDs have no /run.
func runFolder(system string) string {
	switch system {
	case "darwin", "dragonfly", "freebsd", "netbsd", "openbsd":
		return "/var/run"
	}
	return "/run"
}

// defaultRunDir is where the status files are: what systemd made for the unit,
// else /run/rpcapd for root, else the user's own run directory, else one below the folder for temporary files.
func defaultRunDir() string {
	if d := os.Getenv("RUNTIME_DIRECTORY"); d != "" {
		return d
	}
	if os.Geteuid() == 0 {
		return serviceRunDir()
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "rpcapd")
	}
	return fallbackRunDir(os.Geteuid())
}

// notAllowed says whether this user may lack a right that root has, and how to get it.
func notAllowed() (cure string, may bool) { return "run it as root", os.Geteuid() > 0 }
