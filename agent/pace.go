package agent

import "time"

const (
	// startBurst sessions of lines that mean several interfaces begin at once, then one each startPause: on hosts where interfaces
	// come and go all the time, each that begins costs a ring and a handshake.
	startBurst = 64
	startPause = 250 * time.Millisecond
	// flapPause is the least time between two beginnings of a session for the same interface. The sensor has time to take leave of
	// the one before.
	flapPause = 3 * time.Second
)

// pace decides when sessions of lines that mean several interfaces begin. The zero value has its burst; nil lets all begin.
type pace struct {
	used    int       // of the burst
	at      time.Time // when the last part of it was given back
	started map[string]time.Time
	wait    time.Time // when the first that has to wait may begin; zero: none waits
}

// allow tells whether a session may begin now, and counts it if so.
func (p *pace) allow(key string, now time.Time) bool {
	if p == nil {
		return true
	}
	if n := int(now.Sub(p.at) / startPause); n > 0 {
		p.used = max(0, p.used-n)
		p.at = p.at.Add(time.Duration(n) * startPause)
		if p.used == 0 {
			p.at = now
		}
	}
	until := time.Time{}
	if p.used >= startBurst {
		until = p.at.Add(startPause)
	}
	if last, known := p.started[key]; known {
		if again := last.Add(flapPause); again.After(now) && again.After(until) {
			until = again
		}
	}
	if !until.IsZero() {
		if p.wait.IsZero() || until.Before(p.wait) {
			p.wait = until
		}
		return false
	}
	for k, last := range p.started {
		if now.Sub(last) >= flapPause {
			delete(p.started, k)
		}
	}
	if p.started == nil {
		p.started = make(map[string]time.Time)
	}
	p.started[key] = now
	p.used++
	return true
}

// next is how long it takes until one of those that wait may begin, 0 if none waits. It forgets them.
func (p *pace) next(now time.Time) time.Duration {
	if p.wait.IsZero() {
		return 0
	}
	d := max(p.wait.Sub(now), time.Millisecond)
	p.wait = time.Time{}
	return d
}
