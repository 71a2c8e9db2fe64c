package main

import (
	"fmt"
	"reflect"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/logger"
)

type recordedSyslog struct{ lines []string }

func (r *recordedSyslog) write(s severity, line string) error {
	r.lines = append(r.lines, fmt.Sprintf("%d %s", s, line))
	return nil
}

// Each entry has its own severity, no time and no level: syslog adds them.
func TestSyslogCore(t *testing.T) {
	to := &recordedSyslog{}
	log := zap.New(&syslogCore{LevelEnabler: zapcore.InfoLevel, encoder: (&logger.Flags{Format: "console"}).Encoder(false), to: to})
	child := log.Named("agent").With(zap.Int("line", 3))
	log.Debug("not enabled")
	log.Info("started")
	child.Warn("waiting", zap.String("for", "eth9"))
	log.Error("broken")
	want := []string{"5 started", "4 agent\twaiting\t{\"line\": 3, \"for\": \"eth9\"}", "3 broken"}
	if !reflect.DeepEqual(to.lines, want) {
		t.Errorf("got %q\nwant %q", to.lines, want)
	}
	if got := severityOf(zapcore.DebugLevel); got != severityDebug {
		t.Errorf("debug is %d", got)
	}
}
