package main

import (
	"go.uber.org/zap"

	"rpcapd/config"
)

// unenforced names the limits of the ini that this version reads and does not keep:
// whoever sets one relies on it and has to know.
func unenforced(c config.Agent) []string {
	var list []string
	if c.MaxRate > 0 {
		list = append(list, "MaxRate is not enforced by this version")
	}
	if c.MaxCPU > 0 {
		list = append(list, "MaxCPU is not enforced by this version")
	}
	return list
}

func warnUnenforced(log *zap.Logger, c config.Agent) {
	for _, text := range unenforced(c) {
		log.Warn(text)
	}
}
