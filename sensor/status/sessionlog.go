package status

import (
	"sync"
	"time"
)

// SessionLog remembers of each name how often it has connected and what went wrong last, beyond the end of its sessions.
type SessionLog struct {
	mu      sync.Mutex // a leaf
	entries map[string]*nameEntry
}

type nameEntry struct {
	sessions uint64
	failure  string
	cause    Cause
	failedAt time.Time
}

// NewSessionLog returns an empty one.
func NewSessionLog() *SessionLog { return &SessionLog{entries: make(map[string]*nameEntry)} }

// entry finds or makes the entry of a name; mu is held. Names come from agents: beyond maxHistory of them there is one
// entry for the others.
func (l *SessionLog) entry(name string) *nameEntry {
	e := l.entries[name]
	if e == nil && len(l.entries) >= maxHistory {
		name = othersName
		e = l.entries[name]
	}
	if e == nil {
		e = &nameEntry{}
		l.entries[name] = e
	}
	return e
}

// Connected counts a session that has got its name.
func (l *SessionLog) Connected(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entry(name).sessions++
}

// Failed notes what went wrong, and its cause.
func (l *SessionLog) Failed(name string, why error, cause Cause) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(name)
	e.failure, e.cause, e.failedAt = why.Error(), cause, time.Now()
}

// Fill adds what is known to a status.
func (l *SessionLog) Fill(st *Peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[st.Name]
	if e == nil {
		return
	}
	if e.sessions > 0 {
		st.Reconnects = e.sessions - 1
	}
	st.LastError, st.LastCause, st.LastErrorAt = e.failure, e.cause, e.failedAt
}
