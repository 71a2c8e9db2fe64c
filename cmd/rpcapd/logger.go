package main

import "go.uber.org/zap/zapcore"

// severity is a severity of syslog, RFC 5424 section 6.2.1.
type severity int

const (
	severityError   severity = 3
	severityWarning severity = 4
	severityNotice  severity = 5
	severityDebug   severity = 7
)

// severityOf maps what starts and changes to notice: the C agent logs from there
// on, and that is what many syslog configurations keep.
func severityOf(l zapcore.Level) severity {
	switch {
	case l >= zapcore.ErrorLevel:
		return severityError
	case l == zapcore.WarnLevel:
		return severityWarning
	case l == zapcore.InfoLevel:
		return severityNotice
	}
	return severityDebug
}

// syslogWriter takes one line without its end.
type syslogWriter interface {
	write(severity, string) error
}

// syslogCore gives entries to syslog, each with its own severity.
type syslogCore struct {
	zapcore.LevelEnabler
	encoder zapcore.Encoder
	to      syslogWriter
}

// With adds fields to all further entries.
func (c *syslogCore) With(fields []zapcore.Field) zapcore.Core {
	clone := &syslogCore{LevelEnabler: c.LevelEnabler, encoder: c.encoder.Clone(), to: c.to}
	for _, f := range fields {
		f.AddTo(clone.encoder)
	}
	return clone
}

// Check adds the core to those that write the entry.
func (c *syslogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write encodes and sends one entry.
func (c *syslogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	line, err := c.encoder.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	line.TrimNewline()
	return c.to.write(severityOf(e.Level), line.String())
}

// Sync has nothing to do: every entry is sent at once.
func (c *syslogCore) Sync() error { return nil }
