package sensor

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/repeat"
)

// maxTurns is how many starts, and as many ends, of captures are told of one address in an hour.
const maxTurns = 16

// repeats logs the same event once, and with a count when it has gone on for an hour. The zero value is ready.
type repeats struct{ repeat.Memory }

// log writes the line, at debug level if the same key was logged lately.
func (r *repeats) log(l *zap.Logger, key string, level zapcore.Level, message string, fields ...zap.Field) {
	r.logSome(l, key, 1, level, message, fields...)
}

// logSome writes a few lines before it begins to count.
func (r *repeats) logSome(l *zap.Logger, key string, few int, level zapcore.Level, message string, fields ...zap.Field) {
	if missed, ok := r.Due(key, few, time.Now()); ok {
		if missed > 0 {
			fields = append(fields, zap.Int("times", missed+1), zap.Duration("within", time.Hour))
		}
		l.Log(level, message, fields...)
		return
	}
	l.Debug(message, fields...)
}
