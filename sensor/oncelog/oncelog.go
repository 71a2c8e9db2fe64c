// Package oncelog logs a repeated event once, and again with a count after an hour. Package repeat
// decides. The package starts no goroutine, and its lock is a leaf.
package oncelog

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/repeat"
)

// Log logs a repeated event once, and again with a count after an hour. The zero value is ready to use.
type Log struct{ repeat.Memory }

// Once writes the line, at debug level if the same key was logged lately.
func (r *Log) Once(l *zap.Logger, key string, level zapcore.Level, message string, fields ...zap.Field) {
	r.Some(l, key, 1, level, message, fields...)
}

// Some writes a few lines before it begins to count.
func (r *Log) Some(l *zap.Logger, key string, few int, level zapcore.Level, message string, fields ...zap.Field) {
	if missed, ok := r.Due(key, few, time.Now()); ok {
		if missed > 0 {
			fields = append(fields, zap.Int("times", missed+1), zap.Duration("within", time.Hour))
		}
		l.Log(level, message, fields...)
		return
	}
	l.Debug(message, fields...)
}
