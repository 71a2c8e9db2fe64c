package main

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"rpcapd/numbers"
	"rpcapd/printable"
	"rpcapd/sensor/health"
)

// topColumn is one column of the table.
type topColumn struct {
	key, title string
	left       bool // text; numbers stand on the right
	drop       int  // which goes first when the terminal is narrow: the highest; 0 stays
	text       func(p *health.Peer, now time.Time) string
	bad        func(p *health.Peer) bool // shown in red; may be nil
}

var topColumns = []topColumn{
	{key: "name", title: "PEER", left: true, text: func(p *health.Peer, _ time.Time) string { return p.Name }},
	{key: "state", title: "STATE", left: true, text: func(p *health.Peer, _ time.Time) string { return p.State }},
	{key: "rule", title: "RULE", left: true, drop: 9, text: func(p *health.Peer, _ time.Time) string { return p.Rule }},
	{key: "port", title: "PORT", drop: 7, text: func(p *health.Peer, _ time.Time) string {
		if p.Port == 0 {
			return "-"
		}
		return fmt.Sprint(p.Port)
	}},
	{key: "captured", title: "FORWARDED", drop: 4, text: func(p *health.Peer, _ time.Time) string {
		if !p.Forwarded.Known {
			return "-"
		}
		return numbers.Commas(p.Forwarded.Captured)
	}},
	{key: "received", title: "RECEIVED", drop: 3, text: func(p *health.Peer, _ time.Time) string { return numbers.Commas(p.Received.Frames) }},
	{key: "rate", title: "FRAMES/S", text: func(p *health.Peer, _ time.Time) string { return numbers.Rate(p.Rates.Received) }},
	{key: "bytes", title: "BIT/S", drop: 5, text: func(p *health.Peer, _ time.Time) string { return sized(p.Rates.Bytes * 8) }},
	{key: "dropped", title: "LOST:AGENT", drop: 2, text: func(p *health.Peer, _ time.Time) string { return numbers.Commas(p.Dropped()) },
		bad: func(p *health.Peer) bool { return p.Dropped() > 0 }},
	{key: "missing", title: "LOST:PATH", drop: 1, text: func(p *health.Peer, _ time.Time) string { return numbers.Commas(p.PathLoss()) },
		bad: func(p *health.Peer) bool { return p.PathLoss() > 0 }},
	{key: "output", title: "LOST:OUTPUT", drop: 6, text: func(p *health.Peer, _ time.Time) string { return numbers.Commas(outputDrops(p)) },
		bad: func(p *health.Peer) bool { return outputDrops(p) > 0 }},
	{key: "clock", title: "CLOCK", drop: 8, text: func(p *health.Peer, _ time.Time) string { return offset(p.ClockOffset) },
		bad: func(p *health.Peer) bool { return p.ClockOffset != nil && math.Abs(*p.ClockOffset) >= 1 }},
	{key: "connected", title: "CONNECTED", drop: 10, text: func(p *health.Peer, now time.Time) string {
		if p.Ended != nil {
			return "left " + lasting(now.Sub(*p.Ended))
		}
		return lasting(now.Sub(p.Connected))
	}},
}

// topView is what is shown and how.
type topView struct {
	sort    string
	desc    bool
	from    int // first peer shown
	paused  bool
	colour  bool
	answer  *topAnswer
	trouble error // why the last question failed; nil if it did not
}

// newTopView sorts numbers the highest first.
func newTopView(sort string, reverse bool) *topView {
	v := &topView{}
	if sort == "" {
		sort = "rate"
	}
	v.sortBy(sort)
	v.desc = v.desc != reverse
	return v
}

// sortBy chooses a column, or turns the order round if it is that already.
func (v *topView) sortBy(key string) {
	if v.sort == key {
		v.desc = !v.desc
		return
	}
	v.sort, v.desc, v.from = key, true, 0
	for _, c := range topColumns {
		if c.key == key && c.left {
			v.desc = false
		}
	}
}

// maxTopProblems is how many lines problems take at most.
const maxTopProblems = 4

// lines draws the view into a terminal of that size; 0 is no bound.
func (v *topView) lines(width, height int) []string {
	if v.answer == nil {
		text := "asking the sensor …"
		if v.trouble != nil {
			text = v.trouble.Error()
		}
		return []string{cut(text, width)}
	}
	out := v.head(width, height)
	rows := v.answer.peers
	footer := height >= 8
	if height > 0 {
		space := max(1, height-len(out)-1)
		if footer {
			space--
		}
		v.from = max(0, min(v.from, len(rows)-space))
		rows = rows[v.from:min(len(rows), v.from+space)]
	}
	out = append(out, v.table(rows, width)...)
	if footer {
		shown := "no peers"
		if len(rows) > 0 {
			shown = fmt.Sprintf("%d-%d of %s", v.from+1, v.from+len(rows), numbers.Things(len(v.answer.peers), "peer"))
		}
		out = append(out, v.paint(quietColour, cut(shown+"  q ends, space pauses, r reverses, sort: n s c f p d m o k t", width)))
	}
	return out
}

// head is the sensor in a few lines, and what is wrong.
func (v *topView) head(width, height int) []string {
	s := &v.answer.status
	state := ""
	switch {
	case v.trouble != nil:
		state = "  OLD: " + v.trouble.Error()
	case v.paused:
		state = "  PAUSED"
	case !s.Ready:
		state = "  NOT READY: " + strings.Join(s.Reasons, "; ")
	}
	dropped := s.Forwarded.RingDropped + s.Forwarded.InterfaceDropped
	out := []string{
		cut(fmt.Sprintf("rpcap-sensor %s  %s  up %s  %d forwarding, %d waiting, %d left%s", s.Version, s.Time.Local().Format(time.TimeOnly),
			lasting(s.Time.Sub(s.Started)), s.Running(), s.Waiting(), s.Gone(), state), width),
		cut(fmt.Sprintf("forwarded %s/s%s  received %s/s, %s bit/s  lost: agents %s, path %s, outputs %s", numbers.Rate(s.Rates.Forwarded), v.answer.age(),
			numbers.Rate(s.Rates.Received), sized(s.Rates.Bytes*8), numbers.Commas(dropped), numbers.Commas(s.Received.Missing), numbers.Commas(s.SinkDropped)), width),
	}
	most := len(v.answer.problems)
	if height > 0 {
		most = max(0, min(most, maxTopProblems, height-8))
	}
	for i, p := range v.answer.problems[:most] {
		if left := len(v.answer.problems) - most; i == most-1 && left > 0 {
			p.Text += fmt.Sprintf(" (and %s more)", numbers.Things(left, "line"))
		}
		if p.More > 0 {
			p.Text += fmt.Sprintf(" The same holds for %d more.", p.More)
		}
		colour := quietColour
		switch p.Severity {
		case health.SeverityError:
			colour = badColour
		case health.SeverityWarning:
			colour = warnColour
		}
		out = append(out, v.paint(colour, cut(fmt.Sprintf("%-7s %s", p.Severity, p.Text), width)))
	}
	return append(out, "")
}

// age says how old the oldest numbers of an agent that forwards are; empty if none has said any.
func (a *topAnswer) age() string {
	oldest := time.Duration(-1)
	for i := range a.peers {
		if p := &a.peers[i]; p.Running() && p.ForwardedAt != nil {
			oldest = max(oldest, a.status.Time.Sub(*p.ForwardedAt))
		}
	}
	if oldest < 0 {
		return ""
	}
	return " (" + lasting(oldest) + " old)"
}

// table aligns the columns that fit.
func (v *topView) table(peers []health.Peer, width int) []string {
	cells := make([][]string, len(topColumns))
	widths := make([]int, len(topColumns))
	for i, c := range topColumns {
		title := c.title
		if c.key == v.sort {
			title += map[bool]string{true: "▼", false: "▲"}[v.desc]
		}
		cells[i] = append(cells[i], title)
		for k := range peers {
			cells[i] = append(cells[i], printable.Text(c.text(&peers[k], v.answer.status.Time)))
		}
		for _, text := range cells[i] {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	fit(widths, width)
	lines := make([]string, len(peers)+1)
	for row := range lines {
		var b strings.Builder
		for i, c := range topColumns {
			if widths[i] == 0 {
				continue
			}
			if b.Len() > 0 {
				b.WriteString("  ")
			}
			text := cut(cells[i][row], widths[i])
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if row > 0 && c.bad != nil && c.bad(&peers[row-1]) {
				text = v.paint(badColour, text)
			}
			if c.left {
				b.WriteString(text + space)
			} else {
				b.WriteString(space + text)
			}
		}
		lines[row] = strings.TrimRight(b.String(), " ")
	}
	lines[0] = v.paint(headColour, lines[0])
	return lines
}

// fit takes columns away (width 0) until the line is no wider, and then shortens the name.
func fit(widths []int, width int) {
	if width <= 0 {
		return
	}
	for {
		total, worst := -2, 0
		for i, w := range widths {
			if w > 0 {
				total += w + 2
				if topColumns[i].drop > topColumns[worst].drop {
					worst = i
				}
			}
		}
		if total <= width {
			return
		}
		if topColumns[worst].drop == 0 {
			widths[0] = max(8, widths[0]-(total-width))
			return
		}
		widths[worst] = 0
	}
}

// Colours of ANSI terminals.
const (
	headColour  = "7"
	badColour   = "31"
	warnColour  = "33"
	quietColour = "2"
)

func (v *topView) paint(colour, text string) string {
	if !v.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// cut shortens a line to so many characters; 0 is no bound.
func cut(text string, width int) string {
	text = printable.Text(text)
	if width <= 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(0, width-1)]) + "…"
}

func outputDrops(p *health.Peer) (n uint64) {
	for _, s := range p.Sinks {
		n += s.Dropped
	}
	return n
}
