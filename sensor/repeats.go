package sensor

import (
	"slices"
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
	// maxTexts bounds the texts that one agent can make the log tell in that time: it chooses the words of its errors.
	maxTexts = 4
	// maxTurns is how many starts, and as many ends, of captures are told of one address in that time.
	maxTurns = 16
)

// repeats logs the same event once, and with a count when it has gone on for an hour. The zero value is ready.
type repeats struct {
	mu    sync.Mutex // a leaf
	told  map[string]*repeat
	texts map[string]*texts // by whom they came from
}

// texts are what one agent has said lately.
type texts struct {
	at   time.Time // of the first
	list []string
}

type repeat struct {
	at    time.Time // of the last line, or of the first of a few
	lines int       // since then
	count int       // events without one
}

// log writes the line, at debug level if the same key was logged lately. All keys beyond maxRepeats count as one.
func (r *repeats) log(l *zap.Logger, key string, level zapcore.Level, message string, fields ...zap.Field) {
	r.logSome(l, key, 1, level, message, fields...)
}

// logSome writes a few lines before it begins to count.
func (r *repeats) logSome(l *zap.Logger, key string, few int, level zapcore.Level, message string, fields ...zap.Field) {
	if again, ok := r.due(key, few, time.Now()); ok {
		if again > 0 {
			fields = append(fields, zap.Int("times", again), zap.Duration("within", repeatAfter))
		}
		l.Log(level, message, fields...)
		return
	}
	l.Debug(message, fields...)
}

// key is by what a text of somebody is known. All beyond the first few of the same one are the same.
func (r *repeats) key(who, text string, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.texts[who]
	if t == nil && len(r.texts) >= maxRepeats {
		r.forgetOld(now)
	}
	if t == nil && len(r.texts) < maxRepeats || t != nil && now.Sub(t.at) >= repeatAfter {
		if r.texts == nil {
			r.texts = make(map[string]*texts)
		}
		t = &texts{at: now}
		r.texts[who] = t
	}
	switch {
	case t == nil:
		text = ""
	case slices.Contains(t.list, text):
	case len(t.list) < maxTexts:
		t.list = append(t.list, text)
	default:
		text = ""
	}
	return who + " " + text
}

// due reports whether key is to be logged, and how often it was not since the last time. few is how many lines it has.
func (r *repeats) due(key string, few int, now time.Time) (again int, ok bool) {
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
		r.told[key] = &repeat{at: now, lines: 1}
		return 0, true
	case now.Sub(e.at) < repeatAfter && e.lines < few:
		e.lines++
		return 0, true
	case now.Sub(e.at) < repeatAfter:
		e.count++
		return 0, false
	}
	if again = e.count; again > 0 {
		again++ // this one, too
	}
	e.at, e.lines, e.count = now, 1, 0
	return again, true
}

// forget makes the next event of that key news.
func (r *repeats) forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, key)
}

// forgetOld makes room; r.mu is held.
func (r *repeats) forgetOld(now time.Time) {
	for who, t := range r.texts {
		if now.Sub(t.at) >= repeatAfter {
			delete(r.texts, who)
		}
	}
	for key, e := range r.told {
		if now.Sub(e.at) >= repeatAfter {
			delete(r.told, key)
		}
	}
}
