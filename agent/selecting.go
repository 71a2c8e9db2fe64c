package agent

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"rpcapd/capture"
	"rpcapd/config"
	"rpcapd/iface"
)

// wish is a session that there ought to be: of a line that means one interface, or of one interface of a line that means several.
type wish struct {
	target  config.Target
	member  int    // 1… within a fanout group, 0 without
	pattern string // what a line that means several interfaces selects by; empty: the line means one
}

// selection is a line that means several interfaces, and what became of that at the last look.
type selection struct {
	target    config.Target
	sensor    string
	chosen    []string // interfaces with sessions of this line
	refused   []string // more than MaxSessions allows
	elsewhere []string // interfaces that another line offers the same sensor
}

// sensorOf is how the status names the sensor of a line.
func sensorOf(t config.Target) string { return net.JoinHostPort(t.Host, fmt.Sprint(t.Port)) }

// fixedWishes are the sessions of the lines that mean one interface, whether it exists or not.
func (s *Supervisor) fixedWishes(c *config.Agent) (list []wish) {
	for _, t := range c.Targets {
		if t.Disabled == "" && !t.Select.Many() {
			list = append(list, s.members(t, "")...)
		}
	}
	return list
}

// members are the sessions for one interface of a line.
func (s *Supervisor) members(t config.Target, pattern string) (list []wish) {
	if t.Fanout <= 1 || s.opts.ReadFile != "" { // each member would send all of a file
		return []wish{{t, 0, pattern}}
	}
	for m := 1; m <= t.Fanout; m++ {
		list = append(list, wish{t, m, pattern})
	}
	return list
}

// choose brings the selections up to date with the interfaces that there are now, and returns the sessions of all lines. An
// interface that a line offers a sensor is not offered to it by another one, so that no frame comes twice; the lines with one
// interface come first, then those above. Interfaces with a session keep it; new ones get one as long as there is room. mu is
// held.
func (s *Supervisor) choose(now []iface.Interface) []wish {
	wishes := s.fixedWishes(s.policy.Load())
	room := s.policy.Load().SessionLimit() - len(wishes)
	taken := make(map[string]bool) // sensor and interface
	for _, w := range wishes {
		if i, found := w.target.Select.First(now); found && !w.target.Select.IsZero() {
			taken[sensorOf(w.target)+" "+now[i].Name] = true
		}
	}
	running := make(map[string]bool, len(s.sessions))
	for _, x := range s.sessions {
		running[x.key()] = true
	}
	type candidate struct {
		line   *selection
		wishes []wish
	}
	var old, fresh []candidate
	for _, line := range s.selections {
		line.chosen, line.refused, line.elsewhere = nil, nil, nil
		for _, i := range line.target.Select.All(now) {
			name := now[i].Name
			key := line.sensor + " " + name
			if taken[key] {
				line.elsewhere = append(line.elsewhere, name)
				continue
			}
			taken[key] = true
			t := line.target
			t.Select = iface.Selector{Name: name}
			c := candidate{line, s.members(t, line.target.Select.String())}
			if running[c.wishes[0].key()] {
				old = append(old, c)
			} else {
				fresh = append(fresh, c)
			}
		}
	}
	for n, c := range append(old, fresh...) {
		name := c.wishes[0].target.Select.Name
		switch {
		case room < len(c.wishes):
			c.line.refused = append(c.line.refused, name)
			continue
		case n >= len(old) && !s.pace.allow(c.wishes[0].key(), time.Now()):
			continue // lookAgain comes back to it
		}
		room -= len(c.wishes)
		c.line.chosen = append(c.line.chosen, name)
		wishes = append(wishes, c.wishes...)
	}
	for _, line := range s.selections {
		s.sayRefused(line)
	}
	return wishes
}

// key tells which session of the old configuration is the same as one of the new. What a line selects by may change: as long as
// it means the interface, its session stays.
func (w wish) key() string { return keyOf(w.target, w.member, w.pattern != "") }

func keyOf(t config.Target, member int, several bool) string {
	key := t.Key() + "#" + strconv.Itoa(member) + "/" + strconv.Itoa(t.Fanout)
	if several {
		key += " of several"
	}
	return key
}

// selections are the usable lines that mean several interfaces.
func selectionsOf(c *config.Agent) (list []*selection) {
	for _, t := range c.Targets {
		if t.Disabled == "" && t.Select.Many() {
			list = append(list, &selection{target: t, sensor: sensorOf(t)})
		}
	}
	return list
}

// settle makes the sessions those that are wished for. Those that are wished for already go on untouched. mu is held.
func (s *Supervisor) settle(wishes []wish) (kept, fresh, ended []*session) {
	have := make(map[string][]*session)
	for _, x := range s.sessions {
		have[x.key()] = append(have[x.key()], x)
	}
	groups := make(map[string]*capture.Fanout)
	sessions := make([]*session, 0, len(wishes))
	for _, w := range wishes {
		if same := have[w.key()]; len(same) > 0 {
			same[0].moveTo(w)
			kept = append(kept, same[0])
			sessions = append(sessions, same[0])
			have[w.key()] = same[1:]
			continue
		}
		if w.member == 1 {
			groups[w.target.Key()] = &capture.Fanout{}
		}
		x := newSession(s, w, groups[w.target.Key()])
		fresh = append(fresh, x)
		sessions = append(sessions, x)
	}
	for _, x := range s.sessions {
		if rest := have[x.key()]; slices.Contains(rest, x) {
			ended = append(ended, x)
		}
	}
	s.sessions = sessions
	return kept, fresh, ended
}

// reselect begins and ends sessions of the lines that mean several interfaces.
func (s *Supervisor) reselect(now []iface.Interface) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.selections) == 0 || s.run == nil || s.ended {
		return
	}
	offered := s.ifaces.offered(now)
	_, fresh, ended := s.settle(s.choose(offered))
	for _, x := range ended {
		s.leave(x, whyGone(x.target.Select.Name, now))
	}
	for _, x := range fresh {
		s.start(x)
	}
	if len(fresh)+len(ended) > 0 {
		s.changed()
		s.resized()
	}
	s.lookAgain()
}

// whyGone tells why an interface has no session any more.
func whyGone(name string, now []iface.Interface) error {
	if _, there := (iface.Selector{Name: name}).First(now); there {
		return fmt.Errorf("its line no longer selects interface %s", name)
	}
	return fmt.Errorf("interface %s is gone", name)
}

// lookAgain comes back to interfaces that have to wait for their session. mu is held.
func (s *Supervisor) lookAgain() {
	d := s.pace.next(time.Now())
	if d <= 0 || s.looking {
		return
	}
	s.looking = true
	time.AfterFunc(d, func() {
		s.mu.Lock()
		s.looking = false
		s.mu.Unlock()
		if now, err := s.ifaces.all(); err == nil {
			s.reselect(now)
		}
	})
}

// maxNames bounds the interfaces that a line of the log and the status name.
const maxNames = 16

// someNames are the first of a list, and how many follow.
func someNames(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// sayRefused tells of interfaces beyond MaxSessions when a line first has some. mu is held.
func (s *Supervisor) sayRefused(line *selection) {
	if len(line.refused) == 0 {
		return
	}
	if _, log := s.refusals.Due(line.sensor+" "+line.target.Select.String(), 1, time.Now()); log {
		s.log.Warn("interfaces are not captured: there are more than MaxSessions allows; raise it, or leave interfaces out with IgnoreInterfaces",
			zap.String("sensor", line.sensor), zap.Int("line", line.target.Line), zap.Stringer("select", line.target.Select),
			zap.Int("MaxSessions", s.policy.Load().SessionLimit()), zap.Int("refused", len(line.refused)), zap.String("interfaces", someNames(line.refused)))
	}
}

// Selected tells which interfaces of a host the lines of a configuration mean that mean several, in the order of the lines. An
// agent may have others while interfaces come and go: those with a session keep it.
func Selected(c *config.Agent, now []iface.Interface) []LineStatus {
	s := &Supervisor{log: zap.NewNop(), ifaces: &interfaces{}, selections: selectionsOf(c)}
	s.policy.Store(c)
	s.ifaces.ignored.Store(&c.Ignore)
	s.choose(s.ifaces.offered(now))
	var st Status
	s.describeLines(&st)
	return st.Lines
}
