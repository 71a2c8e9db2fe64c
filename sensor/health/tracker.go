package health

import (
	"context"
	"math"
	"slices"
	"time"

	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

const (
	// lookAgain is how long what was looked up serves those who ask.
	lookAgain = time.Second
	// rereads bounds how often the sensor is asked again while a capture moves from the running ones to the ended ones.
	rereads = 3
)

func sensorSumsOf(c *status.Counters) sensorSums {
	return sensorSums{unwanted: c.Unwanted, crowded: c.Refused - min(c.Unwanted, c.Refused), silent: c.Silent}
}

func newTracker(src Source, version string, now time.Time) *tracker {
	t := &tracker{
		src: src, version: version, started: now, newestAt: now,
		records: make(map[identity]*record),
		ports:   make(map[uint16]*recent[Port]),
		sinks:   make(map[string]*recent[Sink]),
		most:    make(map[string][2]uint64),
	}
	// What was counted before is no news; all that comes from now on is.
	c := src.Counters()
	t.recent.keep(now, sensorSumsOf(&c))
	t.keepPorts(now, portsOf(src.Ports()))
	t.keepSinks(now, sinksOf(src.Sinks()))
	return t
}

// run keeps the history until ctx is cancelled.
func (t *tracker) run(ctx context.Context) {
	tick := time.NewTicker(stepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			t.step(now)
		}
	}
}

// look returns what is known now, at most lookAgain old.
func (t *tracker) look(now time.Time) *view {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.view == nil || now.Sub(t.view.status.Time) >= lookAgain || now.Before(t.view.status.Time) {
		t.update(now)
	}
	return t.view
}

// step looks and closes a step of the history. Steps missed while the machine slept are empty.
func (t *tracker) step(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.see(now)
	d := now.Sub(t.newestAt)
	if d < stepTime/2 {
		return // two ticks at once, after a delay
	}
	for range min(int(math.Round(d.Seconds()/stepTime.Seconds()))-1, historyPoints) {
		t.newest++
		t.history.put(t.newest, point{})
		for _, r := range t.records {
			if r.history != nil {
				r.history.put(t.newest, point{})
			}
		}
	}
	t.newest++
	t.newestAt = now
	var total point
	for _, r := range t.records {
		if r.hidden {
			continue
		}
		if r.history == nil && t.rings < historyPeers {
			r.history = new(ring)
			t.rings++
		}
		r.step(t.newest, now, d)
		total.add(&r.rates)
	}
	t.history.put(t.newest, total)
	t.publish(now)
}

// update looks at the sensor and makes a new view.
func (t *tracker) update(now time.Time) {
	t.see(now)
	t.publish(now)
}

// see brings the records up to date.
func (t *tracker) see(now time.Time) {
	list, seen := t.observations()
	var all counters
	for i := range list {
		c := countersOf(&list[i])
		all.add(&c)
	}
	t.sums.advance(&all, &t.before)
	t.before = all
	for id, s := range seen {
		r := t.records[id]
		if r == nil {
			r = &record{id: id}
			t.records[id] = r
			r.see(s, now)
			r.reported = now
			if s.first.After(t.started) {
				r.recent.keep(now, counters{}) // what it has counted so far is news
			} else {
				r.stepSums, r.report = r.sums, r.sums
			}
		} else {
			r.see(s, now)
		}
	}
	for id, r := range t.records {
		if seen[id] == nil {
			if r.hidden || id.iface == "" && r.sums == (counters{}) { // it has got an interface, and so another name
				t.drop(r)
				delete(t.records, id)
				continue
			}
			r.gone(now)
			r.before, r.endings = counters{}, 0 // the sensor begins anew with this name
		}
		r.recent.keep(now, r.sums)
	}
	t.forget(now)
}

// observations asks the sensor, and sums up by peer. When a capture ends, the sensor may show it among the running and the
// ended ones at once, for a moment: then it is asked again.
func (t *tracker) observations() (list []status.Peer, seen map[identity]*observation) {
	for range rereads {
		list = t.src.Peers()
		seen = make(map[identity]*observation, len(list))
		twice := false
		for i := range list {
			id := identityOf(&list[i])
			if id == (identity{agent: othersName}) {
				continue
			}
			s := seen[id]
			if s == nil {
				s = new(observation)
				seen[id] = s
			}
			s.add(&list[i])
			r := t.records[id]
			twice = twice || r != nil && s.endings > r.endings && s.running != nil && s.running.Received.Datagrams > 0
		}
		if !twice {
			break
		}
	}
	return list, seen
}

// forget hides peers that have left long ago, or that are too many.
func (t *tracker) forget(now time.Time) {
	var ended []*record
	for _, r := range t.records {
		if !r.live && !r.hidden {
			ended = append(ended, r)
		}
	}
	slices.SortFunc(ended, func(a, b *record) int { return b.ended.Compare(a.ended) })
	for i, r := range ended {
		if i < maxEnded && now.Sub(r.ended) < keepEnded {
			continue
		}
		r.hidden = true
		t.drop(r)
	}
}

// drop gives up a peer's history.
func (t *tracker) drop(r *record) {
	if r.history != nil {
		r.history = nil
		t.rings--
	}
}

// publish makes the view.
func (t *tracker) publish(now time.Time) {
	c := t.src.Counters()
	v := &view{sensorSums: sensorSumsOf(&c), ports: portsOf(t.src.Ports()), sinks: sinksOf(t.src.Sinks()), peers: make([]Peer, 0, len(t.records))}
	v.status = Status{
		Version: t.version, Time: now, Started: t.started, States: make(map[string]int),
		Accepted: c.Accepted, Refused: c.Refused, Sessions: c.Ended, Silent: c.Silent, counters: t.sums,
	}
	known := false
	for _, r := range t.records {
		if r.hidden {
			continue
		}
		p := r.snapshot()
		known = known || r.known
		v.status.States[p.State]++
		v.status.Rates.add(&p.Rates)
		v.status.Unaccounted += p.Unaccounted
		v.peers = append(v.peers, p)
	}
	v.status.Rates.round()
	slices.SortFunc(v.peers, func(a, b Peer) int { return natural(a.Name, b.Name) })
	v.status.Forwarded, v.status.Received = forwardedOf(&t.sums, known), receivedOf(&t.sums)
	v.status.SinkDropped = t.sums[sinkDropped]
	v.status.Reasons = t.notReady(v.sinks)
	v.status.Ready = len(v.status.Reasons) == 0
	t.recent.keep(now, v.sensorSums)
	t.keepPorts(now, v.ports)
	t.keepSinks(now, v.sinks)
	t.nameCauses(now, v)
	v.problems = t.problems(now, v)
	t.view = v
}

// keepPorts notes the counters that problems are found by. A port that is new has counted from 0.
func (t *tracker) keepPorts(now time.Time, ports []Port) {
	for _, p := range ports {
		r := t.ports[p.Port]
		if r == nil {
			r = new(recent[Port])
			t.ports[p.Port] = r
			if now.After(t.started) {
				r.keep(now, Port{Port: p.Port})
			}
		}
		r.keep(now, p)
	}
}

// keepSinks does the same for outputs, and notes the most that they have written.
func (t *tracker) keepSinks(now time.Time, sinks []Sink) {
	for i := range sinks {
		s := &sinks[i]
		before := t.most[s.Name]
		s.most = [2]uint64{max(before[0], s.Written), max(before[1], s.Bytes)}
		t.most[s.Name] = s.most
		r := t.sinks[s.Name]
		if r == nil {
			r = new(recent[Sink])
			t.sinks[s.Name] = r
			if now.After(t.started) {
				r.keep(now, Sink{Name: s.Name})
			}
		}
		r.keep(now, *s)
	}
}

// notReady says why the sensor does not do its work: listeners that are not open, sinks that have failed.
func (t *tracker) notReady(sinks []Sink) []string {
	reasons := []string{}
	select {
	case <-t.src.Ready():
	default:
		reasons = append(reasons, "the listeners for agents are not open yet")
	}
	for _, s := range sinks {
		switch sink.State(s.State) {
		case sink.Failed, sink.Retrying:
			reasons = append(reasons, "output "+s.Name+" does not work: "+s.Error)
		}
	}
	return reasons
}

func (r *Rates) add(o *Rates) {
	r.Forwarded += o.Forwarded
	r.Received += o.Received
	r.Bytes += o.Bytes
	r.Dropped += o.Dropped
	r.Missing += o.Missing
}

// round takes away what adding has put behind the first digit.
func (r *Rates) round() {
	for _, v := range []*float64{&r.Forwarded, &r.Received, &r.Bytes, &r.Dropped, &r.Missing} {
		*v = math.Round(*v*10) / 10
	}
}
