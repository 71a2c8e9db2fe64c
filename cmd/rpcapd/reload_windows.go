package main

import (
	"fmt"

	"rpcapd/cmd/internal/winservice"
)

// Texts of the command.
const (
	reloadHow     = "Send the service the control code for a change of parameters"
	reloadExample = "  rpcapd check && rpcapd reload\n  sc control rpcapd paramchange        does the same without waiting"
)

// sendReload has the service read its ini again, if it is the process.
func sendReload(_ string, pid int) error {
	known, err := winservice.Reload(serviceName, pid)
	if err == nil && !known {
		return fmt.Errorf("process %d is not the service %s, and only that can be told on Windows: restart the agent", pid, serviceName)
	}
	return err
}
