package main

import (
	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/eventlog"
)

// systemLog is the event log, which has its own form.
func systemLog(_ zapcore.Encoder, level zapcore.Level) (zapcore.Core, error) {
	return eventlog.Open(serviceName, level, events)
}
