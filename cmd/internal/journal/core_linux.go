package journal

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// maxEntry is where a value is cut: a datagram has to pass the send buffer of the socket,
// 208 KiB by default.
const maxEntry = 32 << 10

// core sends entries to the journal.
type core struct {
	zapcore.LevelEnabler
	name   string          // SYSLOG_IDENTIFIER; in capital letters the prefix of the fields
	text   zapcore.Encoder // of the message
	fields []zapcore.Field // added by With
	send   func([]byte) error
	stderr io.Writer
}

// With adds fields to all further entries.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	clone := *c
	clone.text = c.text.Clone()
	for _, f := range fields {
		f.AddTo(clone.text)
	}
	clone.fields = slices.Concat(c.fields, fields)
	return &clone
}

// Check adds the core to those that write the entry.
func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write sends one entry.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	line, err := c.text.EncodeEntry(e, fields)
	if err != nil {
		return err
	}
	defer line.Free()
	line.TrimNewline()
	text := line.String()
	if c.send(c.datagram(e, fields, text)) == nil {
		return nil
	}
	_, err = fmt.Fprintf(c.stderr, "<%d>%s\n", priority(e.Level), text) // sd-daemon(3)
	return err
}

// Sync has nothing to do: every entry is sent at once.
func (c *core) Sync() error { return nil }

func (c *core) datagram(e zapcore.Entry, fields []zapcore.Field, text string) []byte {
	b := appendField(nil, "MESSAGE", text)
	b = appendField(b, "PRIORITY", fmt.Sprint(priority(e.Level)))
	b = appendField(b, "SYSLOG_IDENTIFIER", c.name)
	prefix := fieldName(c.name) + "_"
	if e.LoggerName != "" {
		b = appendField(b, prefix+"LOGGER", e.LoggerName)
	}
	m := zapcore.NewMapObjectEncoder()
	for _, f := range slices.Concat(c.fields, fields) {
		f.AddTo(m)
	}
	keys := make([]string, 0, len(m.Fields))
	for key := range m.Fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		b = appendField(b, prefix+fieldName(key), valueText(m.Fields[key]))
	}
	return b
}

// valueText writes a value as the console does.
func valueText(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	}
	return fmt.Sprint(v)
}

// appendField uses the form with a length where a value has a line end.
func appendField(b []byte, name, value string) []byte {
	if len(value) > maxEntry {
		value = value[:maxEntry]
	}
	b = append(b, name...)
	if strings.Contains(value, "\n") {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	} else {
		b = append(b, '=')
	}
	b = append(b, value...)
	return append(b, '\n')
}

// fieldName is what the journal takes for a name: capital letters, digits, underscores.
func fieldName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
}

// priority is the severity of syslog, RFC 5424 section 6.2.1.
func priority(l zapcore.Level) int {
	switch {
	case l >= zapcore.ErrorLevel:
		return 3
	case l == zapcore.WarnLevel:
		return 4
	case l == zapcore.InfoLevel:
		return 6
	}
	return 7
}
