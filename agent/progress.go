package agent

// Progress tells whether the forwarders of an agent move. Each look wakes them, also when no frame comes; one that has not
// moved at the next look is stuck.
type Progress struct {
	agent *Supervisor
	seen  map[*capturing]uint64 // wake-ups at the last look
}

// Progress begins to watch the agent's forwarders. The result is for one goroutine.
func (s *Supervisor) Progress() *Progress {
	return &Progress{agent: s, seen: make(map[*capturing]uint64)}
}

// Stuck returns the interfaces of captures whose forwarder has done nothing since the last call, nil if all is well. An
// agent without captures is well. Calls should be some seconds apart. One that waits for a slow reader of a TCP connection
// moves each dataWriteStep.
func (p *Progress) Stuck() (names []string) {
	now := make(map[*capturing]uint64)
	for _, x := range p.agent.snapshot() {
		c := x.running()
		if c == nil {
			continue
		}
		n := c.forwarder.progress.Load() + c.forwarder.moves()
		if last, known := p.seen[c]; known && last == n && !c.ended() {
			names = append(names, c.info.Interface)
		}
		now[c] = n
		c.forwarder.wake()
	}
	p.seen = now
	return names
}

// running is the capture of the session, nil if there is none.
func (x *session) running() *capturing {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.live
}

// ended says whether the forwarder has ended, which is for the session to handle.
func (c *capturing) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.final != nil
}
