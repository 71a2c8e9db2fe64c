package health

import (
	"rpcapd/sensor"
	"rpcapd/sensor/sink"
)

// Source is what is looked at; *sensor.Sensor is one. Its methods may be called at any time from any goroutine.
type Source interface {
	// Peers lists the sessions, and after them what has ended, summed up by name and in the state ended.
	Peers() []sensor.PeerStatus
	Ports() []sensor.PortStatus
	Sinks() []sink.Status
	Counters() sensor.Counters
	// Ready is closed when all listeners are open.
	Ready() <-chan struct{}
}
