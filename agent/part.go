package agent

import (
	"context"
	"errors"
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

// partingReason is why the session ends, for the sensor.
func partingReason(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return errAgentStops
}
