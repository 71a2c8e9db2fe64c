// Package logline keeps each log entry on one line that a terminal only shows.
//
// Entries carry names, descriptions and error texts of agents, sensors and clients. The encoders of zap escape what is
// below 0x20 in fields and let DEL, C1 and characters that turn the direction of writing through; in messages they
// escape nothing at all. A Core of this package hands on only what passes package printable, in every format and to
// every destination (console, JSON, syslog, journal).
package logline

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/printable"
)

// core makes the text of entries printable before another core gets them.
type core struct{ zapcore.Core }

// New puts a core in front of c. Of several that write the same entries (zapcore.NewTee) each needs its own.
func New(c zapcore.Core) zapcore.Core { return core{c} }

// With adds fields to all further entries.
func (c core) With(fields []zapcore.Field) zapcore.Core { return core{c.Core.With(clean(fields))} }

// Check adds the core to those that write the entry.
func (c core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write hands the entry on.
func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	e.Message, e.LoggerName = text(e.Message), text(e.LoggerName)
	return c.Core.Write(e, clean(fields))
}

// text is s on one line. The lines of an error that joins several are separated by semicolons.
func text(s string) string {
	return printable.Text(strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "; "))
}

// clean returns the fields with printable values.
func clean(fields []zapcore.Field) []zapcore.Field {
	out := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		switch f.Type {
		case zapcore.StringType:
			out = append(out, zap.String(f.Key, text(f.String)))
		case zapcore.ReflectType: // any type; as text its strings can be seen
			out = append(out, zap.String(f.Key, text(fmt.Sprintf("%+v", f.Interface))))
		case zapcore.StringerType, zapcore.ErrorType, zapcore.ByteStringType, zapcore.ArrayMarshalerType,
			zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType:
			out = append(out, rendered(f)...)
		default: // numbers and times, which nobody else has written
			out = append(out, f)
		}
	}
	return out
}

// rendered is a field in the values that it is made of; one field can have several (an error with its causes).
func rendered(f zapcore.Field) (out []zapcore.Field) {
	m := zapcore.NewMapObjectEncoder()
	f.AddTo(m)
	keys := make([]string, 0, len(m.Fields))
	for key := range m.Fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		switch v := printableValue(m.Fields[key]).(type) {
		case string:
			out = append(out, zap.String(key, v))
		default:
			out = append(out, zap.Any(key, v))
		}
	}
	return out
}

// printableValue walks through what a MapObjectEncoder makes of arrays and objects.
func printableValue(v any) any {
	switch v := v.(type) {
	case string:
		return text(v)
	case []any:
		for i := range v {
			v[i] = printableValue(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = printableValue(v[key])
		}
	}
	return v
}
