package health

import (
	"net/netip"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"rpcapd/sensor/sink"
)

// emitter sends metrics. Label values have been cleaned before.
type emitter chan<- prometheus.Metric

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (e emitter) flag(d *prometheus.Desc, v bool, labels ...string) {
	n := 0.0
	if v {
		n = 1
	}
	e.gauge(d, n, labels...)
}

func (e emitter) count(d *prometheus.Desc, v uint64, labels ...string) {
	e <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

func (e emitter) peer(p *Peer) {
	for _, m := range peerMetrics {
		e.count(m.desc, p.counters[m.counter], p.Agent, p.Interface)
	}
	e.gauge(peerInfo, 1, p.Agent, p.Interface, hostOf(p.Address), p.Rule, portLabel(p.Port), p.Format)
	e.flag(peerUp, p.Running(), p.Agent, p.Interface)
	e.gauge(peerUnaccounted, float64(p.Unaccounted), p.Agent, p.Interface)
	e.flag(peerOverdue, p.UnaccountedSince != nil, p.Agent, p.Interface)
	if p.Ended != nil {
		return
	}
	e.gauge(peerStart, float64(p.Connected.UnixMilli())/1000, p.Agent, p.Interface)
	if p.ClockOffset != nil {
		e.gauge(peerOffset, *p.ClockOffset, p.Agent, p.Interface)
	}
}

func (e emitter) sink(s *Sink) {
	state := sink.State(s.State)
	e.flag(sinkUp, state == sink.Running || state == sink.Degraded, s.Name, s.Kind)
	e.gauge(sinkStreams, float64(s.Streams), s.Name, s.Kind)
	e.gauge(sinkParts, float64(len(s.Parts)), s.Name, s.Kind)
	e.count(sinkFrames, s.most[0], s.Name, s.Kind)
	e.count(sinkBytesMetric, s.most[1], s.Name, s.Kind)
	e.count(sinkDrops, s.Dropped, s.Name, s.Kind)
	said := make(map[string]bool)
	for _, d := range s.Details {
		switch {
		case d.Number == nil || said[d.Name]:
		case d.Total:
			e.count(sinkDetailTotals, *d.Number, s.Name, s.Kind, d.Name)
		default:
			e.gauge(sinkDetail, float64(*d.Number), s.Name, s.Kind, d.Name)
		}
		said[d.Name] = true
	}
}

// problems counts what the page lists, by severity.
func (e emitter) problems(list []Problem) {
	n := make(map[Severity]int)
	for _, p := range list {
		n[p.Severity] += 1 + p.More
	}
	for _, s := range []Severity{SeverityError, SeverityWarning, SeverityInfo} {
		e.gauge(problemCount, float64(n[s]), string(s))
	}
}

// portLabel is empty for no port.
func portLabel(port uint16) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(int(port))
}

// hostOf leaves the port out, which would make a new series of each connection.
func hostOf(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return ""
	}
	return a.Addr().String()
}
