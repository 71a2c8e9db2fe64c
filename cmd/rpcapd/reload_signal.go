//go:build unix

package main

import (
	"fmt"

	"rpcapd/agent"
)

// Texts of the command.
const (
	reloadHow     = "Send SIGHUP to the agent that uses the run directory"
	reloadExample = "  rpcapd check && rpcapd reload\n  systemctl reload rpcapd        does the same"
)

// sendReload has the agent of a run directory read its ini again, which was process before.
func sendReload(runDir string, before int) error {
	pid, err := agent.Signal(runDir, reloadSignals[0])
	if err == nil && pid != before {
		return fmt.Errorf("process %d has ended, %d runs instead", before, pid)
	}
	return err
}
