package health

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Severity tells how bad a problem is.
type Severity string

// Frames are being lost or not forwarded at all; something is degraded or looks wrong; worth knowing.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// rank puts the worst first.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityError, SeverityWarning, SeverityInfo}, s)
}

// Problem is something that is wrong, in plain words.
type Problem struct {
	Severity Severity `json:"severity"`
	Kind     string   `json:"kind"`  // constant word for the kind of problem, such as "path-loss"
	Peer     string   `json:"peer"`  // the peer's name; empty if it is no peer's problem
	Text     string   `json:"text"`  // what is wrong, with the place and the number
	Cure     string   `json:"cure"`  // what helps
	Count    uint64   `json:"count"` // frames, datagrams or sessions that it concerns; 0 if there is nothing to count
	More     int      `json:"more"`  // peers beyond those listed that have the same problem
}

// kinds is the order within a severity: causes before what follows from them.
var kinds = []string{
	"output-failed", "receive-buffer", "nothing-arrives", "unaccounted", "super-packets", "impaired", "agent-ring", "agent-interface", "path-loss", "output-drops",
	"output-degraded", "small-buffer", "slow-client", "held", "refused", "left", "reconnects", "clock", "late", "disowned", "rebound", "malformed", "peer-output-drops",
	"no-agents", "never-answered", "foreign", "duplicate",
}

// maxSameKind is how many peers are listed with the same problem, the worst first.
const maxSameKind = 5

// condense sorts problems, worst first, and of each kind keeps the worst few.
func condense(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
			cmp.Compare(b.Count, a.Count), natural(a.Peer, b.Peer),
		)
	})
	out := make([]Problem, 0, min(len(list), 32))
	same := 0
	for _, p := range list {
		last := len(out) - 1
		if last >= 0 && out[last].Kind == p.Kind && out[last].Severity == p.Severity {
			if same++; same > maxSameKind {
				out[last].More++
				continue
			}
		} else {
			same = 1
		}
		out = append(out, p)
	}
	return out
}

// share is part of whole in percent, as text.
func share(part, whole uint64) string {
	if part == 0 || whole == 0 {
		return "0 %"
	}
	switch p := 100 * float64(part) / float64(whole); {
	case p >= 10:
		return fmt.Sprintf("%.0f %%", p)
	case p >= 1:
		return fmt.Sprintf("%.1f %%", p)
	case p >= 0.01:
		return fmt.Sprintf("%.2f %%", p)
	default:
		return "less than 0.01 %"
	}
}

// ago is a duration in its largest unit.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
