package logline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// hostile has everything that a name must not bring into a log.
const hostile = "eth0\x1b[2J\x07\r\nERROR\tforged\x7f\u0085\u009b31m\u202egpj\u2028\u2066\xff\"\\"

// stringer and loud are what fields are made of besides strings.
type stringer struct{}

func (stringer) String() string { return hostile }

type loud struct{ error }

// Format makes zap add the long form of the error (errorVerbose).
func (l loud) Format(s fmt.State, _ rune) { fmt.Fprint(s, "long form: ", hostile) }

// log writes every kind of field that can carry a text, in one format.
func log(format string) string {
	cfg := zap.NewProductionEncoderConfig()
	enc := zapcore.NewJSONEncoder(cfg)
	if format == "console" {
		enc = zapcore.NewConsoleEncoder(cfg)
	}
	var out bytes.Buffer
	l := zap.New(New(zapcore.NewCore(enc, zapcore.AddSync(&out), zap.DebugLevel)))
	l.Named(hostile).With(zap.String("with", hostile)).Warn("agent "+hostile,
		zap.String("name", hostile), zap.Stringer("stringer", stringer{}), zap.Error(errors.New(hostile)),
		zap.NamedError("loud", loud{errors.New(hostile)}), zap.ByteString("bytes", []byte(hostile)),
		zap.Strings("list", []string{hostile, hostile}), zap.Any("any", []string{hostile}), zap.Reflect("map", map[string]string{"name": hostile}),
		zap.Int("n", 7), zap.Duration("for", 3*time.Second), zap.Stringer("nil", (*stringer)(nil)))
	return out.String()
}

func TestEntryIsOneLine(t *testing.T) {
	for _, format := range []string{"console", "json"} {
		got := log(format)
		if n := strings.Count(got, "\n"); n != 1 || !strings.HasSuffix(got, "\n") {
			t.Errorf("%s: %d lines: %q", format, n, got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("%s: not UTF-8: %q", format, got)
		}
		for _, r := range strings.TrimSuffix(got, "\n") {
			if !unicode.IsPrint(r) && r != '\t' {
				t.Errorf("%s: %U in %q", format, r, got)
			}
		}
		for _, want := range []string{`"n":7`, "agent eth0?[2J??; ERROR?forged", "loudVerbose"} {
			if !strings.Contains(strings.ReplaceAll(got, `": `, `":`), want) {
				t.Errorf("%s: no %s in %s", format, want, got)
			}
		}
	}
}

// TestDecoded: what a program reads from the JSON log is as harmless as what a terminal shows.
func TestDecoded(t *testing.T) {
	var entry map[string]any
	if err := json.Unmarshal([]byte(log("json")), &entry); err != nil {
		t.Fatal(err)
	}
	for key, value := range entry {
		for _, r := range fmt.Sprint(value) {
			if !unicode.IsPrint(r) {
				t.Errorf("%s has %U: %q", key, r, value)
			}
		}
	}
}
