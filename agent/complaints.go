package agent

import (
	"errors"
	"regexp"
	"time"

	"go.uber.org/zap"

	"rpcapd/printable"
	"rpcapd/repeat"
)

const (
	// complaintsMax is how many different errors of one session are logged. A sensor
	// that invents a new mistake with each request would fill the disk otherwise.
	complaintsMax = 20
	// complaintsForget is how long a session must be without any error before all of
	// them are news again; complaintsEvery is when one that goes on is logged again.
	complaintsForget = 10 * time.Minute
	complaintsEvery  = 24 * time.Hour
)

func newComplaints() *complaints {
	return &complaints{repeat.Memory{Every: complaintsEvery, Quiet: complaintsForget, Texts: complaintsMax}}
}

// news says whether an error is to be logged, how often it came since it was, and whether it stands for all that are not
// told apart any more.
func (c *complaints) news(text string, now time.Time) (missed int, log, others bool) {
	key := c.Key("", localEnd.ReplaceAllString(text, ""), now)
	missed, log = c.Due(key, 1, now)
	return missed, log, key == repeat.Others("")
}

// once says whether a warning that requests can repeat has not been given yet.
func (x *session) once(text string) bool {
	_, news := x.complaints.Due(text, 1, time.Now())
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
	x.mu.Unlock()
	fields = append(fields, zap.Error(err), zap.Uint64("errors", count))
	missed, news, others := x.complaints.news(what+err.Error(), time.Now())
	if missed > 0 {
		fields = append(fields, zap.Int("since_the_last_line", missed))
	}
	switch {
	case !news:
		x.log.Debug(what, fields...)
	case others:
		x.log.Warn(what+"; after so many different errors further ones are only counted, and the last is in the status",
			append(fields, zap.Int("logged", complaintsMax), zap.Duration("until_quiet_for", complaintsForget))...)
	default:
		x.log.Warn(what, fields...)
	}
}

// lastError shows an error in the status and counts it. mu is held.
func (x *session) lastError(err error) {
	now := time.Now()
	x.status.LastError, x.status.LastErrorAt = err.Error(), &now
	x.status.Errors++
	x.agent.changed()
}

// presentable returns err, or its text fit for a terminal if a peer's text in it was not.
func presentable(err error) error {
	text := err.Error()
	if shown := printable.Line(text, printable.MaxText); shown != text {
		return errors.New(shown)
	}
	return err
}
