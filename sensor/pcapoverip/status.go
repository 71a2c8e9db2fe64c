package pcapoverip

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"rpcapd/sensor/sink"
)

// everything is a selection that leaves nothing out, in words.
const everything = "everything"

func (n *clientCounters) add(o clientCounters) {
	n.Written += o.Written
	n.Bytes += o.Bytes
	n.Dropped += o.Dropped
	n.LeftOut += o.LeftOut
	n.bytes += o.bytes
}

// numbers are the counters of a delivery.
func (d *delivery) numbers() clientCounters {
	return clientCounters{
		Counters: sink.Counters{
			Written: d.sent.frames.Load(), Bytes: d.sent.bytes.Load(), LeftOut: d.sent.leftOut.Load(),
			Dropped: d.sink.backlog.lost(d.reader) + d.sent.failed.Load(),
		},
		bytes: d.conn.written.Load(),
	}
}

func (c *client) counters() (n clientCounters) {
	c.mu.Lock()
	d := c.delivery
	c.mu.Unlock()
	if d != nil {
		n = d.numbers()
	}
	return n
}

// status describes a client as a part of the sink.
func (c *client) status() sink.Status {
	n := c.counters()
	st := sink.Status{
		Name: c.address.String(), Kind: "client", State: sink.Running, Since: c.since, Counters: n.Counters,
	}
	c.mu.Lock()
	selection, streaming := c.selection, c.delivery != nil
	c.mu.Unlock()
	if n.Dropped > 0 {
		st.State = sink.Degraded
		st.Error = fmt.Sprintf("it reads too slowly: %d frames dropped", n.Dropped)
	}
	selection = cmp.Or(selection, everything)
	if !streaming {
		selection += " (not begun)"
	}
	st.Details = append(st.Details,
		sink.Detail{Name: "selection", Text: selection}, grown("bytes sent", n.bytes))
	if c.certificate != "" {
		st.Details = append(st.Details, sink.Detail{Name: "certificate", Text: c.certificate})
	}
	return st
}

// Status describes the sink: its parts are the clients, the oldest first. The sensor adds the counters of the feeds.
func (s *Sink) Status() sink.Status {
	s.mu.Lock()
	clients := make([]*client, 0, len(s.clients))
	for c := range s.clients {
		clients = append(clients, c)
	}
	st := sink.Status{
		Name: s.opts.Name, Kind: "pcap-over-ip", State: sink.Running, Since: s.since, Error: s.lastErr, ErrorAt: s.lastAt,
	}
	served, refused, probes, past, connected := s.served, s.refused, s.probes, s.past, s.peer
	s.mu.Unlock()

	slices.SortFunc(clients, func(a, b *client) int {
		return cmp.Or(a.since.Compare(b.since), a.address.Compare(b.address))
	})
	total := past
	for _, c := range clients {
		total.add(c.counters())
		st.Parts = append(st.Parts, c.status())
	}
	detail := func(name, text string) { st.Details = append(st.Details, sink.Detail{Name: name, Text: text}) }
	if s.opts.Connect != "" {
		detail("listener", s.opts.Connect)
		st.Details = append(st.Details, grown("connections", served))
		if !connected {
			st.State = sink.Degraded // what comes now is dropped
		}
	} else {
		detail("address", s.listener.Addr().String())
		st.Details = append(st.Details, number("clients", uint64(len(clients))), grown("clients served", served), grown("clients refused", refused), grown("clients that left at once", probes))
	}
	detail("format", s.opts.Format.String())
	s.backlog.mu.Lock()
	unfit := s.backlog.unfit
	s.backlog.mu.Unlock()
	st.Details = append(st.Details, grown("frames of another link type", unfit))
	if s.tls != nil {
		asked := "yes"
		if s.tls.AsksClients() {
			asked = "clients show a certificate"
		}
		detail("tls", asked)
	}
	st.Details = append(st.Details,
		grown("frames sent", total.Written), grown("bytes sent", total.bytes), grown("frames dropped by slow clients", total.Dropped))
	return st
}

func number(name string, n uint64) sink.Detail {
	return sink.Detail{Name: name, Text: strconv.FormatUint(n, 10), Number: n, Numeric: true}
}

// grown is a number that only grows.
func grown(name string, n uint64) sink.Detail {
	d := number(name, n)
	d.Total = true
	return d
}
