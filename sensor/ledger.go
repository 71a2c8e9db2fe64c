package sensor

import (
	"sync"
	"time"
)

// ledger remembers of each name how often it has connected and what went wrong last, beyond the end of its sessions.
type ledger struct {
	mu      sync.Mutex // a leaf
	entries map[string]*ledgerEntry
}

type ledgerEntry struct {
	sessions uint64
	failure  string
	cause    Cause
	failedAt time.Time
}

func newLedger() *ledger { return &ledger{entries: make(map[string]*ledgerEntry)} }

// entry finds or makes the entry of a name; mu is held. Names come from agents: beyond maxHistory of them there is one
// entry for the others.
func (l *ledger) entry(name string) *ledgerEntry {
	e := l.entries[name]
	if e == nil && len(l.entries) >= maxHistory {
		name = othersName
		e = l.entries[name]
	}
	if e == nil {
		e = &ledgerEntry{}
		l.entries[name] = e
	}
	return e
}

// connected counts a session that has got its name.
func (l *ledger) connected(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entry(name).sessions++
}

// failed notes what went wrong.
func (l *ledger) failed(name string, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(name)
	e.failure, e.cause, e.failedAt = why.Error(), causeOf(why), time.Now()
}

// fill adds what is known to a status.
func (l *ledger) fill(st *PeerStatus) {
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
