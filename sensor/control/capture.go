package control

import (
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// newCapture opens what the data of rule r goes to; see Config.Begin.
func (s *session) newCapture(r *rule.Rule) (c Capture, soon bool, err error) {
	return s.server.begin(sink.Source{
		Host: s.host, Agent: s.peer.Addr(), Interface: s.chosen.Name, Description: s.chosen.Description,
		LinkType: s.linkType, Snaplen: s.snaplen(), Filter: r.Filter, Rule: r.Name,
	}, r.TCP, s.log)
}

// setCapture makes c, or none, the session's capture.
func (s *session) setCapture(c Capture) {
	s.capture = c
	s.captured = s.captured || c != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = c
}

// endCapture ends the capture, if there is one, and sums it up. captured is the number of the last frame, if tail says that
// it is known.
func (s *session) endCapture(tail status.Tail, captured uint32) {
	c := s.capture
	if c == nil {
		return
	}
	c.End(tail, captured)
	st := s.snapshot()
	st.State = status.StateEnded
	s.server.telling.Lock() // nobody sees it twice, or not at all
	s.server.history.Add(st)
	s.setCapture(nil)
	s.server.telling.Unlock()
	s.mu.Lock()
	s.status.DataPort = 0
	s.mu.Unlock()
}
