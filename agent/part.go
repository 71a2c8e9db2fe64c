package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rpcapd/rpcap"
)

var (
	errLineRemoved = errors.New("its line was removed from the ini")
	errAgentStops  = errors.New("the agent stops")
)

// hungUp is the error of a connection that the sensor has closed. One that has let the
// sensor in and has no capture has lost nothing.
func (c *connection) hungUp() error {
	if c.authenticated && !c.capture.running() {
		return errHungUp
	}
	return errors.New("connection closed by the sensor")
}

// part ends a connection: what is captured is sent and the numbers are final. If it is
// this end that ends a running capture, the sensor is told with an ERROR 9 and has
// partingTime to ask for the numbers and to hang up.
func (c *connection) part(ctx context.Context) {
	running := c.capture.running()
	c.endCapture()
	if ctx.Err() == nil || !running {
		return
	}
	deadline := time.Now().Add(partingTime)
	e := rpcap.Error{Code: rpcap.CodeRead, Text: fmt.Sprintf("%s: %v", rpcap.SessionEnds, partingReason(ctx))}
	if c.write(e.Append(nil)) != nil {
		return
	}
	c.parting = true
	c.wire.Resume()
	for time.Now().Before(deadline) {
		if c.next(ctx, deadline) != nil { // the sensor has hung up, or the time is over
			return
		}
	}
}

// partingReason is why the session ends, for the sensor.
func partingReason(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return errAgentStops
}
