package main

import (
	"fmt"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"rpcapd/cmd/internal/journal"
	"rpcapd/cmd/internal/logline"
)

// newLogger logs to standard error, which is free even when frames go to standard output.
func newLogger(format, level string, stderr zapcore.WriteSyncer) (*zap.Logger, error) {
	lv, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level %q: it is one of debug, info, warn, error", level)
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	var enc zapcore.Encoder
	switch format {
	case "json":
		enc = zapcore.NewJSONEncoder(cfg)
	case "console":
		cfg.EncodeLevel = zapcore.CapitalLevelEncoder
		enc = zapcore.NewConsoleEncoder(cfg)
	default:
		return nil, fmt.Errorf("log format %q: it is console or json", format)
	}
	if f, ok := stderr.(*os.File); ok && format == "console" {
		if c := journal.New(f, "rpcap-sensor", lv); c != nil {
			return zap.New(logline.New(c)), nil
		}
	}
	return zap.New(logline.New(zapcore.NewCore(enc, zapcore.Lock(stderr), lv))), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
