// Package logger makes the log of a program from its flags.
package logger

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/journal"
	"rpcapd/cmd/internal/logline"
)

// Flags are what the command line says about the log.
type Flags struct {
	Format string // console or json
	Level  string // of zap, up to error
}

// Define adds the flags, with the values that they have.
func (l *Flags) Define(f *pflag.FlagSet) {
	f.StringVar(&l.Format, "log-format", l.Format, "`format` of the log: console or json")
	f.StringVar(&l.Level, "log-level", l.Level, "log from this `level` on: debug, info, warn or error")
}

// Parse returns the level. Its errors are of the command line.
func (l *Flags) Parse() (zapcore.Level, error) {
	level, err := zapcore.ParseLevel(l.Level)
	switch {
	case err != nil, level > zapcore.ErrorLevel:
		return 0, fmt.Errorf("log level %q: it is debug, info, warn or error", l.Level)
	case l.Format != "console" && l.Format != "json":
		return 0, fmt.Errorf("log format %q: it is console or json", l.Format)
	}
	return level, nil
}

// Core writes to standard error, or to the journal that systemd has connected it to. Text of others in it is printable.
func (l *Flags) Core(program string, stderr io.Writer, level zapcore.Level) zapcore.Core {
	if f, ok := stderr.(*os.File); ok && l.Format == "console" {
		if c := journal.New(f, program, level); c != nil {
			return logline.New(c)
		}
	}
	return logline.New(zapcore.NewCore(l.Encoder(true), zapcore.Lock(zapcore.AddSync(stderr)), level))
}

// Encoder writes one line per entry, with time and level if timed.
func (l *Flags) Encoder(timed bool) zapcore.Encoder {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	if !timed {
		cfg.TimeKey = zapcore.OmitKey
		cfg.LevelKey = zapcore.OmitKey
	}
	if l.Format == "json" {
		return zapcore.NewJSONEncoder(cfg)
	}
	cfg.EncodeLevel = zapcore.CapitalLevelEncoder
	return zapcore.NewConsoleEncoder(cfg)
}
