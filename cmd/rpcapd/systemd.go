package main

import (
	"os"
	"strconv"
)

// underSystemd tells whether systemd started this very process as a service. The
// variables are inherited by what a service starts in turn, an init script for one,
// which does rely on -d; so the process is compared where systemd names it
// (systemd.exec(5), SYSTEMD_EXEC_PID).
func underSystemd() bool {
	if os.Getenv("INVOCATION_ID") == "" && os.Getenv("NOTIFY_SOCKET") == "" {
		return false
	}
	pid := os.Getenv("SYSTEMD_EXEC_PID")
	return pid == "" || pid == strconv.Itoa(os.Getpid())
}
