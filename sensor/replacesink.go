package sensor

import "rpcapd/sensor/sink"

// ReplaceSink ends the sink of a name in order and puts another one in its place, while agents send frames; other sinks do not
// notice. An empty name only adds a sink, and without one the sink of the name only ends. Each running stream goes from the
// old sink to the new one between two frames, so that each frame is in one of them; the new one may have the name of the
// old, and then goes on with its counters. The sink of Options.Purpose stays.
//
// The error is that of ending the old sink, as of Run; it has ended nevertheless. Only if it is sink.ErrNoSuchSink or if the name
// of the new one is taken, nothing has changed.
func (s *Sensor) ReplaceSink(name string, by sink.Sink) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.hub.Replace(name, by)
}
