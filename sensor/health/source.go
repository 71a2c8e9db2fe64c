package health

import (
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// Source is what is looked at; *sensor.Sensor is one. Its methods may be called at any time from any goroutine.
type Source interface {
	// Peers lists the sessions, and after them what has ended, summed up by name and in the state ended.
	Peers() []status.Peer
	Ports() []status.Port
	Sinks() []sink.Status
	Counters() status.Counters
	// Ready is closed when all listeners are open.
	Ready() <-chan struct{}
}
