package health

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rpcapd/printable"
)

// query is what a request asks for.
type query struct {
	text  string // part of a name, address, rule or state
	state string
	sort  string
	desc  bool
	limit int // peers on a page; 0: all
	page  int // from 1

	peer    string // the one that is looked at
	minutes int    // of history
	top     int    // peers in the history
	points  int    // of the history, at most
}

// sortKeys are the columns that peers can be sorted by.
var sortKeys = map[string]func(a, b *Peer) int{
	"name":      func(a, b *Peer) int { return natural(a.Name, b.Name) },
	"state":     func(a, b *Peer) int { return cmp.Compare(a.State, b.State) },
	"rule":      func(a, b *Peer) int { return cmp.Compare(a.Rule, b.Rule) },
	"port":      func(a, b *Peer) int { return cmp.Compare(a.Port, b.Port) },
	"captured":  func(a, b *Peer) int { return cmp.Compare(a.Forwarded.Captured, b.Forwarded.Captured) },
	"received":  func(a, b *Peer) int { return cmp.Compare(a.Received.Frames, b.Received.Frames) },
	"rate":      func(a, b *Peer) int { return cmp.Compare(a.Rates.Received, b.Rates.Received) },
	"bytes":     func(a, b *Peer) int { return cmp.Compare(a.Rates.Bytes, b.Rates.Bytes) },
	"dropped":   func(a, b *Peer) int { return cmp.Compare(a.Dropped(), b.Dropped()) },
	"missing":   func(a, b *Peer) int { return cmp.Compare(a.PathLoss(), b.PathLoss()) },
	"output":    func(a, b *Peer) int { return cmp.Compare(a.SinkDrops(), b.SinkDrops()) },
	"clock":     func(a, b *Peer) int { return cmp.Compare(a.clockError(), b.clockError()) },
	"connected": func(a, b *Peer) int { return a.Connected.Compare(b.Connected) },
}

// SortKeys lists what peers can be sorted by.
func SortKeys() []string { return sortedKeys(sortKeys) }

// parseQuery reads parameters; limit is the one without a limit in them.
func parseQuery(v url.Values, limit int) (*query, error) {
	q := &query{
		text: strings.ToLower(strings.TrimSpace(printable.Name(v.Get("q")))), state: v.Get("state"), sort: cmp.Or(v.Get("sort"), "name"),
		desc: v.Get("order") == "desc", peer: v.Get("peer"),
	}
	if sortKeys[q.sort] == nil {
		return q, fmt.Errorf("sort %q: it is one of %s", q.sort, strings.Join(SortKeys(), ", "))
	}
	if o := v.Get("order"); o != "" && o != "asc" && o != "desc" {
		return q, fmt.Errorf("order %q: it is asc or desc", o)
	}
	for _, n := range []struct {
		name              string
		to                *int
		least, most, none int
	}{
		{"limit", &q.limit, 0, 100000, limit},
		{"page", &q.page, 1, 100000, 1},
		{"minutes", &q.minutes, 1, 60, 60},
		{"top", &q.top, 0, 50, 7},
		{"points", &q.points, 2, historyPoints, 180},
	} {
		*n.to = n.none
		if text := v.Get(n.name); text != "" {
			i, err := strconv.Atoi(text)
			if err != nil || i < n.least || i > n.most {
				return q, fmt.Errorf("%s %q: it is a number of %d to %d", n.name, text, n.least, n.most)
			}
			*n.to = i
		}
	}
	return q, nil
}

// peers returns those that match, sorted, of the page asked for, and how many match in all.
func (q *query) peers(all []Peer) (list []Peer, total int) {
	list = make([]Peer, 0, len(all))
	for i := range all {
		if q.match(&all[i]) {
			list = append(list, all[i])
		}
	}
	by := sortKeys[q.sort]
	slices.SortStableFunc(list, func(a, b Peer) int {
		if q.desc {
			return by(&b, &a)
		}
		return by(&a, &b)
	})
	total = len(list)
	if q.limit > 0 {
		from := min((q.page-1)*q.limit, total)
		list = list[from:min(from+q.limit, total)]
	}
	return list, total
}

func (q *query) match(p *Peer) bool {
	if q.state != "" && !q.inState(p) {
		return false
	}
	if q.text == "" {
		return true
	}
	for _, s := range []string{p.Name, p.Address, p.Rule, p.State} {
		if strings.Contains(strings.ToLower(s), q.text) {
			return true
		}
	}
	return p.Port != 0 && q.text == strconv.Itoa(int(p.Port))
}

// inState takes the states of a session, and waiting for all but running and ended.
func (q *query) inState(p *Peer) bool {
	if q.state == "waiting" {
		return !p.Running() && p.Ended == nil
	}
	return p.State == q.state
}

// clockError is how far the clock is off, in seconds.
func (p *Peer) clockError() float64 {
	if p.ClockOffset == nil {
		return -1
	}
	return max(*p.ClockOffset, -*p.ClockOffset)
}

// natural compares names so that web2 comes before web10.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		n, m := digits(x), digits(y)
		if n == 0 || m == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		p, q := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
		if c := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits counts those at the beginning.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
