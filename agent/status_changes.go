package agent

import "time"

// changed has the status files written within statusPause.
func (s *Supervisor) changed() {
	s.changes.Add(1)
	signal(s.statusSoon)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (x *session) setState(s SessionState, detail string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.status.State != s || x.status.Detail != detail {
		x.status.State, x.status.Detail, x.status.Since = s, detail, time.Now()
		x.agent.changed()
	}
	if s == StateWaiting {
		x.status.Preselected = ""
	}
}

// Reloaded notes for the status what became of a request to read the ini again: nil, or why the old configuration stays.
func (s *Supervisor) Reloaded(refusal error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reload.Count++
	s.reload.At, s.reload.Error = time.Now(), ""
	if refusal != nil {
		s.reload.Error = refusal.Error()
	}
	s.changes.Add(1)
	signal(s.statusNow)
}

func (s *Supervisor) reloaded() ReloadStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reload
}
