package main

import "rpcapd/cmd/internal/winservice"

// prepareRunDir makes the folder of the service for an administrator who runs the agent by hand before it is installed:
// made in the usual way it would be open to everybody.
func prepareRunDir(dir, _ string) error {
	if dir != serviceRunDir() || exists(dir) {
		return nil
	}
	return winservice.ProtectRunDir(serviceName, configurationDir(), dir)
}

// fallbackRunDir: there is none.
func fallbackRunDir(int) string { return "" }

func ownRunDir(string, int) bool { return true }
