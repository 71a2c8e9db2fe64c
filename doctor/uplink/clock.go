package uplink

import (
	"fmt"
	"time"

	"rpcapd/doctor"
	"rpcapd/doctor/host"
)

const (
	// clockNear is a difference that reports of sensor and agent bear, clockFar one with which frames of several agents are out of order
	// by so much that nobody can follow a connection.
	clockNear = 500 * time.Millisecond
	clockFar  = 10 * time.Second
)

const clockCure = "here or on the sensor's host, whichever is wrong: " + host.ClockCure

func (v *Visit) checkClock() []doctor.Result {
	t := v.talked()
	switch {
	case t.err != nil:
		return one(doctor.NotChecked("no session"))
	case t.none != nil:
		return one(doctor.NotChecked("the sensor does not tell its time"))
	}
	return one(clockResult(t.at.Sub(t.offer.Clock), t.round))
}

// clockResult judges how far this host's clock is ahead of the sensor's, measured within a round trip.
func clockResult(ahead, round time.Duration) doctor.Result {
	way, off := "ahead of", ahead
	if ahead < 0 {
		way, off = "behind", -ahead
	}
	seen := fmt.Sprintf("this host's clock is %v %s the sensor's", off.Round(time.Millisecond), way)
	const means = "frames have this host's time; beside those of other agents they are in the wrong order"
	switch off -= round / 2; {
	case off > clockFar:
		return doctor.Failed(seen, means, clockCure)
	case off > clockNear:
		return doctor.Warning(seen, means, clockCure)
	}
	return doctor.OK("%s", seen)
}
