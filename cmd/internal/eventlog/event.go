package eventlog

import (
	"strings"

	"go.uber.org/zap/zapcore"
)

// Event is a kind of event that has a number of its own.
type Event struct {
	ID      uint32 // from 10 to 1000
	Message string // of the log entry, or how it begins
}

// Numbers of entries that no Event stands for, by their level.
const (
	GeneralWarning = 2
	GeneralError   = 3
)

// idOf is the number of an entry. It is 0 for one that does not belong into the event log.
func idOf(events []Event, e zapcore.Entry) uint32 {
	for _, v := range events {
		if strings.HasPrefix(e.Message, v.Message) {
			return v.ID
		}
	}
	switch {
	case e.Level >= zapcore.ErrorLevel:
		return GeneralError
	case e.Level == zapcore.WarnLevel:
		return GeneralWarning
	}
	return 0
}

// maxText is the length of the longest text that ReportEvent takes, in UTF-16 units: 31,839.
const maxText = 31839

// eventText is a text as an event can have it: cut to the greatest length, and without a percent sign before a digit, which
// Event Viewer takes for the number of another text. So an address such as fe80::1%4 is shown as fe80::1% 4.
func eventText(s string) string {
	var b strings.Builder
	units, percent := 0, false
	for _, r := range s {
		if percent && '0' <= r && r <= '9' {
			b.WriteByte(' ')
			units++
		}
		percent = r == '%'
		if units++; r > 0xffff {
			units++
		}
		if units > maxText-1 {
			b.WriteString("…")
			break
		}
		if r == 0 { // the end of a text for Windows
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
