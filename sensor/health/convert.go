package health

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rpcapd/printable"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// identity is a peer's name as it is shown: agents choose the interface's part.
type identity struct{ agent, iface string }

func identityOf(p *status.Peer) identity {
	agent := p.Name
	if p.Interface != "" {
		agent = strings.TrimSuffix(agent, "/"+p.Interface)
	}
	return identity{printable.Line(agent, printable.MaxName), printable.Line(p.Interface, printable.MaxName)}
}

func (i identity) name() string {
	if i.iface == "" {
		return i.agent
	}
	return i.agent + "/" + i.iface
}

// describe fills in what is no counter.
func describe(p *Peer, st *status.Peer) {
	p.Address, p.Source = addressText(st.Address), addressText(st.DataSource)
	p.DisownedSource = addressText(st.DisownedSource)
	p.Rule, p.Port = printable.Line(st.Rule, printable.MaxName), st.DataPort
	p.State, p.Reason = string(st.State), printable.Line(st.Reason, printable.MaxText)
	p.Cause, p.LastCause = string(st.Cause), string(st.LastCause)
	p.Format, p.LinkType, p.Snaplen = st.Format, st.LinkType, st.Snaplen
	p.Connected, p.ForwardedAt = st.Since, when(st.ForwardedAt)
	p.LastError, p.LastErrorAt = printable.Line(st.LastError, printable.MaxText), when(st.LastErrorAt)
	p.TCP = st.TCP
	p.Unaccounted, p.UnaccountedSince = st.Unaccounted, when(st.UnaccountedSince)
	p.LastArrival, p.LargestDatagram, p.NoSegmentation = when(st.LastArrival), st.LargestDatagram, st.NoSegmentation
	p.ClockOffset, p.FrameAge = nil, math.Round(st.FrameAge.Seconds())
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
func sessionOf(st *status.Peer) *Session {
	c := countersOf(st)
	return &Session{
		Since: st.Since, Forwarded: forwardedOf(&c, st.Forwarded.Known), Received: receivedOf(&c),
		Written: c[sinkWritten], Dropped: c[sinkDropped],
	}
}

func portsOf(list []status.Port) []Port {
	out := make([]Port, len(list))
	for i, p := range list {
		out[i] = Port{
			Port: p.Port, Streams: p.Streams, Foreign: p.Foreign, ReceiveBufferDrops: p.KernelDrops,
			ProbesEchoed: p.ProbesEchoed, ProbesRefused: p.ProbesRefused,
			ReceiveBufferAsked: p.ReceiveBufferAsked, ReceiveBuffer: p.ReceiveBuffer, GRO: p.GRO,
		}
		if p.Stranger.IsValid() {
			out[i].Stranger = p.Stranger.String()
		}
	}
	slices.SortFunc(out, func(a, b Port) int { return cmp.Compare(a.Port, b.Port) })
	return out
}

func sinksOf(list []sink.Status) []Sink {
	out := make([]Sink, len(list))
	for i := range list {
		s := &list[i]
		out[i] = Sink{
			Name: printable.Line(s.Name, printable.MaxText), Kind: s.Kind, State: string(s.State), Since: s.Since,
			Error: printable.Line(s.Error, printable.MaxText), ErrorAt: when(s.ErrorAt), Streams: s.Streams,
			Written: s.Written, Bytes: s.Bytes, Dropped: s.Dropped,
			Parts: sinksOf(s.Parts), Details: make([]Detail, len(s.Details)),
		}
		for j, d := range s.Details {
			out[i].Details[j] = Detail{Name: d.Name, Text: printable.Line(d.Text, printable.MaxText), Total: d.Total}
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

// linkTypes are names that people know, by DLT number.
var linkTypes = map[uint32]string{
	0: "BSD loopback", 1: "Ethernet", 9: "PPP", 12: "raw IP", 14: "raw IP", 101: "raw IP", 105: "802.11", 108: "OpenBSD loopback",
	113: "Linux cooked", 127: "802.11 with radiotap", 189: "USB", 220: "USB", 228: "IPv4", 229: "IPv6", 239: "NFLOG",
	276: "Linux cooked, version 2",
}

// linkType is a link type with its number.
func linkType(dlt uint32) string {
	if name := linkTypes[dlt]; name != "" {
		return fmt.Sprintf("%s (%d)", name, dlt)
	}
	return fmt.Sprintf("number %d", dlt)
}
