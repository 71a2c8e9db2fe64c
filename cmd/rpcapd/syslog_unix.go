//go:build unix

package main

import (
	"log/syslog"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"rpcapd/cmd/internal/logline"
)

// syslogRetry is the least time between two attempts to reach a syslog daemon that
// is not there.
const syslogRetry = 10 * time.Second

// localSyslog writes to the syslog daemon of the host, facility daemon. The daemon
// may come later or be restarted; what is logged without it is lost.
type localSyslog struct {
	mu    sync.Mutex
	w     *syslog.Writer // nil while there is no daemon
	tried time.Time
}

// systemLog writes to it. Syslog adds time and level itself.
func systemLog(encoder zapcore.Encoder, level zapcore.Level) (zapcore.Core, error) {
	return logline.New(&syslogCore{LevelEnabler: level, encoder: encoder, to: &localSyslog{}}), nil
}

func (l *localSyslog) write(s severity, line string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		if time.Since(l.tried) < syslogRetry {
			return nil
		}
		l.tried = time.Now()
		w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, "rpcapd")
		if err != nil {
			return err
		}
		l.w = w
	}
	switch s {
	case severityError:
		return l.w.Err(line)
	case severityWarning:
		return l.w.Warning(line)
	case severityDebug:
		return l.w.Debug(line)
	}
	return l.w.Notice(line)
}
