package health

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rpcapd/sensor"
)

// identity is a peer's name as it is shown: agents choose the interface's part.
type identity struct{ agent, iface string }

func identityOf(p *sensor.PeerStatus) identity {
	agent := p.Name
	if p.Interface != "" {
		agent = strings.TrimSuffix(agent, "/"+p.Interface)
	}
	return identity{clean(agent, maxName), clean(p.Interface, maxName)}
}

func (i identity) name() string {
	if i.iface == "" {
		return i.agent
	}
	return i.agent + "/" + i.iface
}

// describe fills in what is no counter.
func describe(p *Peer, st *sensor.PeerStatus) {
	p.Address, p.Source = addressText(st.Address), addressText(st.DataSource)
	p.Rule, p.Port = clean(st.Rule, maxName), st.DataPort
	p.State, p.Reason = string(st.State), clean(st.Reason, maxText)
	p.Format, p.LinkType, p.Snaplen = st.Format, st.LinkType, st.Snaplen
	p.Connected = st.Since
	p.LastError, p.LastErrorAt = clean(st.LastError, maxText), when(st.LastErrorAt)
	p.ClockOffset = nil
	if st.ClockKnown {
		seconds := math.Round(st.ClockOffset.Seconds()*1e6) / 1e6
		p.ClockOffset = &seconds
	}
}

// setCounters fills in the counters.
func (p *Peer) setCounters(c *counters, known bool) {
	p.counters = *c
	p.Forwarded, p.Received = forwardedOf(c, known), receivedOf(c)
}

func forwardedOf(c *counters, known bool) Forwarded {
	return Forwarded{
		Known: known, InterfaceReceived: c[ifReceived], InterfaceDropped: c[ifDropped],
		RingDropped: c[ringDropped], Captured: c[captured],
	}
}

func receivedOf(c *counters) Received {
	return Received{
		Datagrams: c[datagrams], Bytes: c[tunnelBytes], Frames: c[frames], FrameBytes: c[frameBytes],
		InOrder: c[inOrder], Reordered: c[reordered], Lost: c[lost], Late: c[late],
		Duplicate: c[duplicate], Malformed: c[malformed], Missing: c[missing],
		Deduplicated: c[deduplicated], Disowned: c[disowned], Rebound: c[rebound],
	}
}

// sessionOf is a session's own numbers.
func sessionOf(st *sensor.PeerStatus) *Session {
	c := countersOf(st)
	return &Session{
		Since: st.Since, Forwarded: forwardedOf(&c, st.Forwarded.Known), Received: receivedOf(&c),
		Written: c[sinkWritten], Dropped: c[sinkDropped],
	}
}

func portsOf(list []sensor.PortStatus) []Port {
	out := make([]Port, len(list))
	for i, p := range list {
		out[i] = Port{Port: p.Port, Streams: p.Streams, Foreign: p.Foreign, ReceiveBufferDrops: p.KernelDrops}
	}
	slices.SortFunc(out, func(a, b Port) int { return cmp.Compare(a.Port, b.Port) })
	return out
}

func sinksOf(list []sensor.SinkStatus) []Sink {
	out := make([]Sink, len(list))
	for i := range list {
		s := &list[i]
		out[i] = Sink{
			Name: clean(s.Name, maxText), Kind: s.Kind, State: string(s.State), Since: s.Since,
			Error: clean(s.Error, maxText), ErrorAt: when(s.ErrorAt), Streams: s.Streams,
			Written: s.Written, Bytes: s.Bytes, Dropped: s.Dropped,
			Parts: sinksOf(s.Parts), Details: make([]Detail, len(s.Details)),
		}
		for j, d := range s.Details {
			out[i].Details[j] = Detail{Name: d.Name, Text: clean(d.Text, maxText), Total: d.Total}
			if d.Numeric {
				out[i].Details[j].Number = &d.Number
			}
		}
	}
	return out
}

func addressText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// when is nil for the zero time.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
