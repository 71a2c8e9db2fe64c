package control

import (
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// Capture is the data side of what a session has between STARTCAP and its end; *receive.Capture is one. Its methods are the
// session's goroutine's, but for Fill.
type Capture interface {
	Source() sink.Source // what the sinks know of the stream
	Shown() string       // its name, fit for a log
	Port() uint16        // that STARTCAP names
	OwnPorts() []uint16  // whose traffic the agent must not capture

	Announced(port uint16, translated bool)              // the port that STARTCAP's reply names, 0 if none
	Asked()                                              // before STATS are sent
	Answered(reply rpcap.StatsReply, took time.Duration) // the answer to STATS
	Final(reply rpcap.StatsReply) bool                   // that after ENDCAP; false if it is not valid
	LastReport() (reply rpcap.StatsReply, ok bool)       // the last one that was taken
	Refilter(filter string)                              // the agent has another filter from now on
	End(tail status.Tail, captured uint32)               // takes what is on its way, and ends the stream
	Fill(*status.Peer)                                   // adds the counters

	StatsWanted() <-chan struct{}               // receives when STATS will tell where the stream comes from
	Contested() (every time.Duration, yes bool) // STATS are wanted at this distance
	Starved() bool                              // hardly anything of what the agent sends arrives
	Connected() bool                            // a data connection (TCP) is there
	Ended() <-chan struct{}                     // closed when the data connection has ended; nil for UDP
	Err() error                                 // why it has
}

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
