package eventlog

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/logline"
)

// reporter writes one event.
type reporter interface {
	report(level zapcore.Level, id uint32, text string) error
}

// core gives entries to the event log.
type core struct {
	zapcore.LevelEnabler
	events  []Event
	encoder zapcore.Encoder
	to      reporter
}

// newCore makes a core for entries from a level on, at least Info. Their text is printable and on one line.
func newCore(level zapcore.Level, events []Event, to reporter) zapcore.Core {
	cfg := zap.NewProductionEncoderConfig()
	cfg.TimeKey, cfg.LevelKey = zapcore.OmitKey, zapcore.OmitKey // an event has them
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	cfg.ConsoleSeparator = "  "
	return logline.New(&core{LevelEnabler: max(level, zapcore.InfoLevel), events: events, encoder: zapcore.NewConsoleEncoder(cfg), to: to})
}

// With adds fields to all further entries.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	clone := *c
	clone.encoder = c.encoder.Clone()
	for _, f := range fields {
		f.AddTo(clone.encoder)
	}
	return &clone
}

// Check adds the core to those that write the entry.
func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) && idOf(c.events, e) != 0 {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write encodes and reports one entry. The name of the logger is left out: the number says more.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	id := idOf(c.events, e)
	if id == 0 {
		return nil
	}
	level := e.Level
	e.LoggerName, e.Caller, e.Stack = "", zapcore.EntryCaller{}, ""
	line, err := c.encoder.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	line.TrimNewline()
	return c.to.report(level, id, eventText(line.String()))
}

// Sync has nothing to do: every entry is written at once.
func (c *core) Sync() error { return nil }
