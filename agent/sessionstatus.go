package agent

// snapshot is the status of the session with the numbers of its running capture.
func (x *session) snapshot() SessionStatus {
	x.mu.Lock()
	st, live := x.status, x.live
	x.mu.Unlock()
	if live != nil {
		c := live.status()
		st.Capture = &c
		st.Total.add(c.Counters)
		st.SendDrops = addDrops(st.SendDrops, c.SendDrops)
		st.SendErrors = addErrors(st.SendErrors, c.SendErrors)
	}
	return st
}

// capturing and captureDone keep the status up to date over a capture's life.
func (x *session) capturing(c *capturing) {
	x.mu.Lock()
	x.live = c
	x.mu.Unlock()
	x.setState(StateCapturing, c.info.Interface)
}

func (x *session) captureDone(c *capturing) {
	st := c.status()
	st.Running = false
	x.mu.Lock()
	if x.live == c {
		x.live = nil
		x.status.Capture = &st
		x.status.Total.add(st.Counters)
		x.status.SendDrops = addDrops(x.status.SendDrops, st.SendDrops)
		x.status.SendErrors = addErrors(x.status.SendErrors, st.SendErrors)
	}
	x.mu.Unlock()
	x.setState(StateReady, "")
}
