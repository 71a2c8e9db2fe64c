package agent

import "time"

// shared is what the sessions of one sensor have in common that lines with several interfaces make: so many of them come and go
// that each with limits of its own would have none.
type shared struct {
	gate       *gate
	complaints *complaints
	chatter    chatter
	ended      EndedStatus // guarded by Supervisor.mu
}

// EndedStatus is what the sessions for interfaces that are gone have left, so that no number of an agent ever falls.
type EndedStatus struct {
	Sensor       string      `json:"sensor"`
	Sessions     uint64      `json:"sessions"`
	Interface    string      `json:"interface"` // of the last one
	Reason       string      `json:"reason"`    // why that ended
	At           time.Time   `json:"at"`
	Connects     uint64      `json:"connects"`
	AuthFailures uint64      `json:"auth_failures"`
	Errors       uint64      `json:"errors"`
	Events       uint64      `json:"interface_events"`
	SendDrops    []SendDrop  `json:"send_drops,omitempty"`
	SendErrors   []SendError `json:"send_errors,omitempty"`
	Total        Counters    `json:"total"`
}

// shareFor returns what the sessions of a sensor share. mu is held.
func (s *Supervisor) shareFor(sensor string) *shared {
	if s.shares[sensor] == nil {
		s.shares[sensor] = &shared{gate: newGate(), complaints: newComplaints(), ended: EndedStatus{Sensor: sensor}}
	}
	return s.shares[sensor]
}

// leave ends a session that is in s.sessions no more; until it has sent all that it had it stays in the status. mu is held.
func (s *Supervisor) leave(x *session, why error) {
	x.leaving = why.Error()
	if x.cancel == nil { // it was never started
		return
	}
	s.leaving = append(s.leaving, x)
	x.cancel(why)
}

// left is called when a session has ended: what it has done goes on to count.
func (s *Supervisor) left(x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, other := range s.leaving {
		if other == x {
			s.leaving = append(s.leaving[:n:n], s.leaving[n+1:]...)
			break
		}
	}
	if x.shared == nil || x.leaving == "" {
		return
	}
	st, e := x.snapshot(), &x.shared.ended
	e.Sessions++
	e.Interface, e.Reason, e.At = x.target.Select.Name, x.leaving, time.Now()
	e.Connects += st.Connects
	e.AuthFailures += st.AuthFailures
	e.Errors += st.Errors
	e.Events += st.InterfaceEvents
	e.SendDrops = addDrops(e.SendDrops, st.SendDrops)
	e.SendErrors = addErrors(e.SendErrors, st.SendErrors)
	e.Total.add(st.Total)
	s.changed()
}
