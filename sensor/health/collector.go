package health

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rpcapd/sensor/status"
)

// registry has the sensor's metrics and those of Go and of the process.
func (t *tracker) registry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{t}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// collector turns a view into metrics.
type collector struct{ *tracker }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range peerMetrics {
		ch <- m.desc
	}
	for _, m := range totalMetrics {
		ch <- m.desc
	}
	for _, d := range otherMetrics {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	v := c.look(time.Now())
	e := emitter(ch)
	s := &v.status
	e.gauge(buildInfo, 1, s.Version, runtime.Version())
	e.flag(readyMetric, s.Ready)
	e.count(accepted, s.Accepted)
	e.count(refused, s.Refused)
	e.count(sessionsEnded, s.Sessions)
	e.count(neverAnswered, s.Silent)
	for _, state := range []status.State{
		status.StateAuthenticating, status.StateListing, status.StateHeld, status.StateStarting,
		status.StateRunning, status.StateEnding, status.StateEnded,
	} {
		e.gauge(peersByState, float64(s.States[string(state)]), string(state))
	}
	for _, m := range totalMetrics {
		e.count(m.desc, s.counters[m.counter])
	}
	e.gauge(unaccounted, float64(s.Unaccounted))
	e.problems(v.problems)
	for i := range v.peers {
		e.peer(&v.peers[i])
	}
	for _, p := range v.ports {
		port := portLabel(p.Port)
		e.gauge(portStreams, float64(p.Streams), port)
		e.count(portForeign, p.Foreign, port)
		e.count(portDropped, p.ReceiveBufferDrops, port)
		e.count(portEchoed, p.ProbesEchoed, port)
		e.count(portProbesRefused, p.ProbesRefused, port)
		e.gauge(portBuffer, float64(p.ReceiveBuffer), port)
		e.gauge(portAsked, float64(p.ReceiveBufferAsked), port)
		e.flag(portGRO, p.GRO, port)
	}
	for i := range v.sinks {
		e.sink(&v.sinks[i])
	}
}
