package sensor

import (
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
)

// FromConfig turns a sensor's file into options without sinks and logger.
func FromConfig(c config.Sensor) Options {
	o := Options{
		Listen:  c.Listen,
		Aliases: c.Aliases,
		Data:    receive.DataPorts{First: c.Data.First, Count: c.Data.Count, GROOff: c.Data.GROOff},
		Dedup:   c.Streams.Dedup,
		Limits: Limits{
			Window: c.Streams.Window, Hold: c.Streams.Hold,
			Sessions: c.Streams.Sessions, SessionsPerAddress: c.Streams.SessionsPerAddress,
		},
	}
	for _, r := range c.Rules {
		o.Rules = append(o.Rules, rule.Rule{
			Name: r.Name, Port: r.Port, Addresses: r.Addresses, Interfaces: r.Interfaces, Filter: r.Filter,
			Snaplen: min(r.Snaplen, rpcap.MaxSnaplen), Promiscuous: r.Promiscuous, Sampling: samplingOf(r.Sampling),
			AllowAgents: r.AllowAgents, User: r.User, Password: r.Password, TCP: r.TCP,
		})
	}
	return o
}

// SelectionFromConfig is the selection of one output's section.
func SelectionFromConfig(c config.Selection) sink.Selection {
	return sink.Selection{Agents: c.Agents, Rules: c.Rules, Filter: c.Filter, MaxFrame: c.MaxFrame}
}

func samplingOf(s config.Sampling) rpcap.SamplingRequest {
	switch {
	case s.OneIn > 1:
		return rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: s.OneIn}
	case s.Interval > 0:
		return rpcap.SamplingRequest{
			Method: rpcap.SamplingFirstAfterMillis, Value: uint32(min(s.Interval/time.Millisecond, 1<<31)),
		}
	}
	return rpcap.SamplingRequest{}
}
