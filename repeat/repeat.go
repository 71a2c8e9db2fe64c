// Package repeat decides which of events that repeat themselves are worth a line of the log: the first of its kind, and after a
// while the next one, with the number of those between. It bounds what it remembers, because kinds come from peers. It writes
// nothing itself.
package repeat

import (
	"slices"
	"sync"
	"time"
)

const (
	// usual is when something that goes on is told again, unless Every says otherwise.
	usual = time.Hour
	// maxKeys bounds what is remembered: addresses and reasons come from strangers.
	maxKeys = 1024
	// maxTexts bounds the texts that one peer can make the log tell in that time, unless Texts says otherwise: it chooses the words
	// of its errors.
	maxTexts = 4
)

// Memory knows what has been told. The zero value is ready. The exported fields are set before the first use.
type Memory struct {
	Every time.Duration // after which something that goes on is told again; 0: an hour
	Quiet time.Duration // after which, without any event, all are news again; 0: never
	Texts int           // of one peer that Key tells apart; 0: 4

	mu    sync.Mutex // a leaf
	last  time.Time  // event, told or not
	told  map[string]*told
	texts map[string]*texts // by whom they came from
}

// texts are what one peer has said lately.
type texts struct {
	at   time.Time // of the first
	list []string
}

type told struct {
	at     time.Time // of the last line, or of the first of a few
	lines  int       // since then
	missed int       // events without one
}

func (r *Memory) every() time.Duration {
	if r.Every > 0 {
		return r.Every
	}
	return usual
}

func (r *Memory) maxTexts() int {
	if r.Texts > 0 {
		return r.Texts
	}
	return maxTexts
}

// Others is the key of the texts of somebody beyond the first few.
func Others(who string) string { return who + " " }

// Key is by what a text of somebody is known. All beyond the first few of the same one are the same.
func (r *Memory) Key(who, text string, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look(now)
	t := r.texts[who]
	if t == nil && len(r.texts) >= maxKeys {
		r.forgetOld(now)
	}
	if t == nil && len(r.texts) < maxKeys || t != nil && now.Sub(t.at) >= r.every() {
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
	case len(t.list) < r.maxTexts():
		t.list = append(t.list, text)
	default:
		text = ""
	}
	return Others(who) + text
}

// Due reports whether an event of the kind key is to be told, and how many were not since the last one that was. few is how many
// lines the kind has in that time.
func (r *Memory) Due(key string, few int, now time.Time) (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look(now)
	e := r.told[key]
	if e == nil && len(r.told) >= maxKeys {
		r.forgetOld(now)
		if len(r.told) >= maxKeys {
			key = ""
			e = r.told[key]
		}
	}
	switch {
	case e == nil:
		if r.told == nil {
			r.told = make(map[string]*told)
		}
		r.told[key] = &told{at: now, lines: 1}
		return 0, true
	case now.Sub(e.at) < r.every() && e.lines < few:
		e.lines++
		return 0, true
	case now.Sub(e.at) < r.every():
		e.missed++
		return 0, false
	}
	missed = e.missed
	e.at, e.lines, e.missed = now, 1, 0
	return missed, true
}

// look makes all news again after a quiet time; what was not told by then is still counted. r.mu is held.
func (r *Memory) look(now time.Time) {
	if r.Quiet > 0 && now.Sub(r.last) > r.Quiet {
		clear(r.texts)
		for key, e := range r.told {
			if e.at = (time.Time{}); e.missed == 0 {
				delete(r.told, key)
			}
		}
	}
	r.last = now
}

// Forget makes the next event of that key news.
func (r *Memory) Forget(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, key)
}

// forgetOld makes room; r.mu is held.
func (r *Memory) forgetOld(now time.Time) {
	for who, t := range r.texts {
		if now.Sub(t.at) >= r.every() {
			delete(r.texts, who)
		}
	}
	for key, e := range r.told {
		if now.Sub(e.at) >= r.every() {
			delete(r.told, key)
		}
	}
}
