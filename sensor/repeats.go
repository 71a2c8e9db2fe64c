package sensor

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// repeatAfter is when something that goes on is logged again.
	repeatAfter = time.Hour
	// maxRepeats bounds what is remembered: addresses and reasons come from strangers.
	maxRepeats = 1024
)

// repeats logs the same event once, and with a count when it has gone on for an hour. The zero value is ready.
type repeats struct {
	mu   sync.Mutex // a leaf
	told map[string]*repeat
}

type repeat struct {
	at    time.Time // of the last line
	count int       // since then
}

// log writes the line unless the same key was logged lately. All keys beyond maxRepeats count as one.
func (r *repeats) log(l *zap.Logger, key string, level zapcore.Level, message string, fields ...zap.Field) {
	if again, ok := r.due(key, time.Now()); ok {
		if again > 0 {
			fields = append(fields, zap.Int("times", again), zap.Duration("within", repeatAfter))
		}
		l.Log(level, message, fields...)
	}
}

// due reports whether key is to be logged, and how often it was not since the last time.
func (r *repeats) due(key string, now time.Time) (again int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.told[key]
	if e == nil && len(r.told) >= maxRepeats {
		r.forgetOld(now)
		if len(r.told) >= maxRepeats {
			key = ""
			e = r.told[key]
		}
	}
	switch {
	case e == nil:
		if r.told == nil {
			r.told = make(map[string]*repeat)
		}
		r.told[key] = &repeat{at: now}
		return 0, true
	case now.Sub(e.at) < repeatAfter:
		e.count++
		return 0, false
	}
	again = e.count + 1
	e.at, e.count = now, 0
	return again, true
}

// forget makes the next event of that key news.
func (r *repeats) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, key)
}

func (r *repeats) forgetOld(now time.Time) {
	for key, e := range r.told {
		if now.Sub(e.at) >= repeatAfter {
			delete(r.told, key)
		}
	}
}
