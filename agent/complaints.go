package agent

import (
	"errors"
	"regexp"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
)

const (
	// complaintsMax is how many different errors of one session are logged. A sensor
	// that invents a new mistake with each request would fill the disk otherwise.
	complaintsMax = 20
	// complaintsForget is how long a session must be without any error before all of
	// them are news again.
	complaintsForget = 10 * time.Minute
)

// complaints decides which errors of one session are logged: each of them once.
type complaints struct {
	said map[string]struct{}
	last time.Time // when the latest error came, logged or not
}

// news says whether an error is to be logged, and whether it is the last one that is.
func (c *complaints) news(text string, now time.Time) (log, full bool) {
	if now.Sub(c.last) > complaintsForget || c.said == nil {
		c.said = make(map[string]struct{})
	}
	c.last = now
	text = localEnd.ReplaceAllString(text, "")
	if _, again := c.said[text]; again || len(c.said) == complaintsMax {
		return false, false
	}
	c.said[text] = struct{}{}
	return true, len(c.said) == complaintsMax
}

// once says whether a warning that requests can repeat has not been given yet.
func (x *session) once(text string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	news, _ := x.complaints.news(text, time.Now())
	return news
}

// say logs what is no error but can be repeated by the sensor at will: some of it, and
// how much was not logged.
func (x *session) say(what string, fields ...zap.Field) {
	unlogged, ok := x.chatter.allow(time.Now())
	if !ok {
		x.log.Debug(what, fields...)
		return
	}
	if unlogged > 0 {
		fields = append(fields, zap.Uint64("lines_not_logged", unlogged))
	}
	x.log.Info(what, fields...)
}

// localEnd is the near end of a connection in an error of package net
// ("read tcp 10.0.0.5:43210->10.0.0.2:2003: …"): its port is another one each time.
var localEnd = regexp.MustCompile(`\S+:\d+->`)

// complain records an error of the session: counted and shown in the status each
// time, logged once.
func (x *session) complain(what string, err error, fields ...zap.Field) {
	err = presentable(err)
	x.mu.Lock()
	x.lastError(err)
	count := x.status.Errors
	news, full := x.complaints.news(what+err.Error(), time.Now())
	x.mu.Unlock()
	log := x.log.Debug
	if news {
		log = x.log.Warn
	}
	log(what, append(fields, zap.Error(err), zap.Uint64("errors", count))...)
	if full {
		x.log.Warn("so many different errors: further ones are only counted, and the last is in the status",
			zap.Int("logged", complaintsMax), zap.Duration("until_quiet_for", complaintsForget))
	}
}

// lastError shows an error in the status and counts it. mu is held.
func (x *session) lastError(err error) {
	now := time.Now()
	x.status.LastError, x.status.LastErrorAt = err.Error(), &now
	x.status.Errors++
	x.agent.changes.Add(1)
}

// presentable returns err, or its text fit for a terminal if a peer's text in it was not.
func presentable(err error) error {
	text := err.Error()
	if shown := printable.Line(text, printable.MaxText); shown != text {
		return errors.New(shown)
	}
	return err
}
