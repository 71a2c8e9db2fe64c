package eventlog

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// recorder keeps events instead of writing them.
type recorder struct{ lines []string }

func (r *recorder) report(level zapcore.Level, id uint32, text string) error {
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s", level, id, text))
	return nil
}

// TestCore: errors and warnings always, and of the rest what has a number; each on one printable line.
func TestCore(t *testing.T) {
	to := &recorder{}
	log := zap.New(newCore(zapcore.DebugLevel, []Event{{100, "agent started"}, {301, "shedding load"}}, to))
	child := log.Named("agent").With(zap.Int("line", 3))
	log.Debug("agent started in detail")
	log.Info("statistics")
	log.Info("agent started", zap.String("version", "1.2"))
	child.Warn("shedding load: too much", zap.String("interface", "Ethernet 2"))
	child.Warn("waiting\nERROR forged", zap.String("for", "eth9\x1b[31m"))
	log.Error("broken", zap.Error(errors.New("fe80::1%12: refused")))
	want := []string{
		`info 100 agent started  {"version": "1.2"}`,
		`warn 301 shedding load: too much  {"line": 3, "interface": "Ethernet 2"}`,
		`warn 2 waiting; ERROR forged  {"line": 3, "for": "eth9?[31m"}`,
		`error 3 broken  {"error": "fe80::1% 12: refused"}`,
	}
	if !reflect.DeepEqual(to.lines, want) {
		t.Errorf("got  %q\nwant %q", to.lines, want)
	}
}

// TestLevel: the log level of the program holds here too.
func TestLevel(t *testing.T) {
	to := &recorder{}
	log := zap.New(newCore(zapcore.ErrorLevel, []Event{{100, "agent started"}}, to))
	log.Info("agent started")
	log.Warn("hm")
	log.Error("broken")
	if want := []string{"error 3 broken"}; !reflect.DeepEqual(to.lines, want) {
		t.Errorf("got %q, want %q", to.lines, want)
	}
}

func TestEventText(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "100 %": "100 %", "%%5%a%": "%% 5%a%", "a\x00b": "a?b", "é😀": "é😀",
	} {
		if got := eventText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("x", 40000), strings.Repeat("😀", 20000), strings.Repeat("%1", 20000)} {
		got := eventText(long)
		if n := len(utf16.Encode([]rune(got))); n > maxText || n < maxText-4 || !strings.HasSuffix(got, "…") {
			t.Errorf("%.8s…: %d units, %.20q at the end", long, n, got[len(got)-10:])
		}
	}
	if got := eventText(strings.Repeat("x", maxText-1)); len(got) != maxText-1 {
		t.Errorf("cut to %d", len(got))
	}
}
