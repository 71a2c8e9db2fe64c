package config

import (
	"fmt"
	"slices"
	"strings"
)

// Edit is a change of the agent's file that keeps its comments and the order of its lines.
type Edit struct {
	// Targets are the ActiveClient lines that the file shall have for their sensors. Other lines for the same host and
	// port go away; lines for other sensors stay.
	Targets []Target
	// Replace turns the lines for other sensors into comments.
	Replace bool
	// NullAuth makes NullAuthPermit YES, unless the file says something about it or has accounts.
	NullAuth bool
	// CommentOut turns lines that are not understood into comments; without it a file that has some is not touched.
	CommentOut bool
	// Comments are added at the end, each unless it is there.
	Comments []string
	// Accounts are added, or take the place of those of the same name.
	Accounts []Account
}

// editor works on lines that keep their ends.
type editor struct {
	lines []string
	end   string // of new lines
	done  []string
}

func newEditor(text string) *editor {
	x := &editor{end: "\n"}
	if strings.Contains(text, "\r\n") {
		x.end = "\r\n"
	}
	for line := range strings.Lines(text) {
		x.lines = append(x.lines, line)
	}
	if n := len(x.lines); n > 0 && !strings.HasSuffix(x.lines[n-1], "\n") {
		x.lines[n-1] += x.end
	}
	return x
}

// say records a change.
func (x *editor) say(format string, args ...any) {
	x.done = append(x.done, fmt.Sprintf(format, args...))
}

// targets brings the ActiveClient lines in order.
func (x *editor) targets(old []Target, e Edit) {
	missing := slices.Clone(e.Targets)
	var gone, others []Target // lines of the same sensors that are not wanted; lines of other sensors
	for _, t := range old {
		if t.Disabled != "" {
			continue // it means no session, whatever else stands on it
		}
		i := slices.IndexFunc(missing, func(u Target) bool { return same(t, u) })
		switch {
		case i >= 0:
			missing = slices.Delete(missing, i, i+1)
		case slices.ContainsFunc(e.Targets, func(u Target) bool { return sameSensor(t, u) }):
			gone = append(gone, t)
		default:
			others = append(others, t)
		}
	}
	if e.Replace {
		for _, t := range others {
			x.lines[t.Line-1] = "#" + x.lines[t.Line-1]
			x.say("line %d made a comment: ActiveClient = %s", t.Line, t)
		}
	}
	at := x.place(old, gone)
	for i := len(gone) - 1; i >= 0; i-- { // from the end, so that the numbers before it hold
		n := gone[i].Line - 1
		x.lines = slices.Delete(x.lines, n, n+1)
		if n < at {
			at--
		}
	}
	for _, t := range gone {
		x.say("line %d removed: ActiveClient = %s", t.Line, t)
	}
	var fresh []string
	for _, t := range missing {
		fresh = append(fresh, "ActiveClient = "+t.String()+x.end)
		x.say("added: ActiveClient = %s", t)
	}
	x.lines = slices.Insert(x.lines, at, fresh...)
}

// place is the index where new ActiveClient lines go: where those were that go away, else behind the last one, else
// behind the last example of one, else where keys may stand.
func (x *editor) place(old, gone []Target) int {
	switch {
	case len(gone) > 0:
		return gone[0].Line - 1
	case len(old) > 0:
		return old[len(old)-1].Line
	}
	return x.behindExample("ActiveClient")
}

// behindExample is the index behind the last comment that shows a key, else the end of the part that has keys.
func (x *editor) behindExample(key string) int {
	end := x.endOfKeys()
	for i := end - 1; i >= 0; i-- {
		text := strings.TrimLeft(x.lines[i], "#; \t")
		if name, _, found := strings.Cut(text, "="); found && strings.EqualFold(strings.TrimSpace(name), key) {
			return i + 1
		}
	}
	return end
}

// endOfKeys is the index of the first section, or the end.
func (x *editor) endOfKeys() int {
	for i, line := range x.lines {
		if strings.HasPrefix(strings.TrimSpace(line), "[") {
			return i
		}
	}
	return len(x.lines)
}

// set gives a key a value in the place of its line, or behind its example.
func (x *editor) set(key, value string) {
	line := key + " = " + value + x.end
	found := false
	for i := range x.lines[:x.endOfKeys()] {
		name, _, isSetting := strings.Cut(x.lines[i], "=")
		if !isSetting || !strings.EqualFold(strings.TrimSpace(name), key) {
			continue
		}
		found = true
		if x.lines[i] != line {
			x.say("line %d changed: %s = %s", i+1, key, value)
			x.lines[i] = line
		}
	}
	if !found {
		x.lines = slices.Insert(x.lines, x.behindExample(key), line)
		x.say("added: %s = %s", key, value)
	}
}

// account adds an account or changes its password.
func (x *editor) account(a Account) {
	line := a.Setting() + x.end
	for i := range x.lines[:x.endOfKeys()] {
		key, value, isSetting := strings.Cut(x.lines[i], "=")
		name, _, _ := strings.Cut(value, ",")
		if isSetting && strings.EqualFold(strings.TrimSpace(key), "Account") && unquote(strings.TrimSpace(name)) == a.Name {
			x.lines[i] = line
			x.say("line %d changed: the password of account %s", i+1, a.Name)
			return
		}
	}
	x.lines = slices.Insert(x.lines, x.behindExample("Account"), line)
	x.say("added: account %s", a.Name)
}

// comments adds lines of text.
func (x *editor) comments(list []string) {
	for _, text := range list {
		line := "# " + strings.Join(strings.Fields(text), " ") + x.end
		if !slices.Contains(x.lines, line) {
			x.lines = append(x.lines, line)
			x.say("added as a comment: %s", excerpt(text))
		}
	}
}

// same says whether two lines mean the same session.
func same(t, u Target) bool { return t.Key() == u.Key() && max(1, t.Fanout) == max(1, u.Fanout) }

func sameSensor(t, u Target) bool { return strings.EqualFold(t.Host, u.Host) && t.Port == u.Port }
