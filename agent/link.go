package agent

import (
	"fmt"

	"go.uber.org/zap"

	"rpcapd/capture"
)

// The states of the interface of a running capture.
const (
	LinkUp      LinkState = "up"
	LinkDown    LinkState = "down"
	LinkDeleted LinkState = "deleted" // waited for
)

// linkStates say what each event leads to.
var linkStates = map[capture.EventKind]LinkState{
	capture.InterfaceDown:    LinkDown,
	capture.InterfaceUp:      LinkUp,
	capture.InterfaceDeleted: LinkDeleted,
	capture.InterfaceBack:    LinkUp,
}

// event notes what happens to the interface under a running capture: in status, metrics
// and log. The forwarder calls it, from within Next.
func (c *capturing) event(e capture.Event) {
	state := linkStates[e.Kind]
	if e.Kind == capture.InterfaceBack && e.Down {
		state = LinkDown
	}
	c.mu.Lock()
	c.link = state
	c.events++
	n := c.events
	c.mu.Unlock()

	fields := []zap.Field{zap.String("interface", e.Interface), zap.Stringer("event", e.Kind)}
	if e.Err != nil {
		fields = append(fields, zap.Error(e.Err))
	}
	log := c.log.Warn
	if n > complaintsMax { // an interface that flaps all day must not fill the disk
		log = c.log.Debug
	}
	log("interface of a capture changed", fields...)
	if n == complaintsMax {
		c.log.Warn("many changes of an interface: further ones of this capture are counted and not logged", zap.String("interface", e.Interface))
	}
	if c.changed != nil {
		c.changed(c, e)
	}
}

// interfaceEvent brings the status of the session up to date.
func (x *session) interfaceEvent(c *capturing, e capture.Event) {
	c.mu.Lock()
	state := c.link
	c.mu.Unlock()
	x.mu.Lock()
	x.status.InterfaceEvents++
	if state != LinkUp {
		x.lastError(fmt.Errorf("capture on %s: %v", e.Interface, e.Kind))
	}
	x.mu.Unlock()
	x.setState(StateCapturing, linkDetail(e.Interface, state))
}

// linkDetail is the detail of the state "capturing".
func linkDetail(name string, state LinkState) string {
	switch state {
	case LinkDown:
		return name + " is down, no frames arrive"
	case LinkDeleted:
		return name + " was deleted, waiting for it to come back"
	}
	return name
}
