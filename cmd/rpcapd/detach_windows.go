package main

import "errors"

// detach: the service manager runs programs in the background. There the C agent had -d for its service.
func detach() error {
	return errors.New("-d: Windows runs programs in the background as services: rpcapd service install, then rpcapd service start")
}
