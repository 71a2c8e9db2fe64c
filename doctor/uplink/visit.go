package uplink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"rpcapd/agent"
	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/udpsock"
)

const (
	resolveLimit = 4 * time.Second
	dialLimit    = 4 * time.Second
	// sessionLimit covers authentication (5 s) and the two requests after it.
	sessionLimit = 10 * time.Second
	// probesLimit covers all probes to one sensor.
	probesLimit = 10 * time.Second
	// totalLimit is that of the last check of a visit: all steps before it.
	totalLimit = resolveLimit + dialLimit + sessionLimit + probesLimit
)

// Options are what the agent would use.
type Options struct {
	Targets  []config.Target
	Policy   *config.Agent
	IPv4Only bool
	GSO      udpsock.Mode
}

// Visit is one sensor: what was found out on the way to it. Each step runs once.
type Visit struct {
	target config.Target
	opts   *Options
	ctx    context.Context // of all steps; the checks that wait may give up earlier

	names  func() named
	dialed func() dialed
	talked func() talked
	probed func() probed
}

type named struct {
	addrs []netip.Addr
	took  time.Duration
	err   error
}

type dialed struct {
	call *agent.Call
	err  error
}

type talked struct {
	offer rpcap.ProbeOffer
	at    time.Time     // here, when the sensor has read its clock
	round time.Duration // trip, as TCP has taken
	err   error         // the session
	none  error         // it answers no probes
}

// errEarlier says that a step before has failed, which another check tells.
var errEarlier = errors.New("a check before it has failed")

// visits makes one visit for each sensor of the targets. ctx ends all that they do.
func visits(ctx context.Context, o *Options) (list []*Visit) {
	seen := make(map[string]bool)
	for _, t := range o.Targets {
		if t.Disabled == "" && !seen[t.Address()] {
			seen[t.Address()] = true
			list = append(list, newVisit(ctx, o, t))
		}
	}
	return list
}

func newVisit(ctx context.Context, o *Options, t config.Target) *Visit {
	v := &Visit{target: t, opts: o, ctx: ctx}
	v.names = sync.OnceValue(v.resolve)
	v.dialed = sync.OnceValue(v.dial)
	v.talked = sync.OnceValue(v.talk)
	v.probed = sync.OnceValue(v.probe)
	return v
}

func (v *Visit) resolve() (n named) {
	if a, err := netip.ParseAddr(v.target.Host); err == nil {
		return named{addrs: []netip.Addr{a.Unmap()}}
	}
	ctx, cancel := context.WithTimeout(v.ctx, resolveLimit)
	defer cancel()
	network := "ip"
	if v.opts.IPv4Only {
		network = "ip4"
	}
	begun := time.Now()
	n.addrs, n.err = net.DefaultResolver.LookupNetIP(ctx, network, v.target.Host)
	n.took = time.Since(begun)
	for i := range n.addrs {
		n.addrs[i] = n.addrs[i].Unmap()
	}
	return n
}

// dial connects to the first address that answers.
func (v *Visit) dial() (d dialed) {
	n := v.names()
	if n.err != nil {
		return dialed{err: errEarlier}
	}
	for _, a := range n.addrs {
		if v.opts.IPv4Only && !a.Is4() {
			d.err = errors.Join(d.err, fmt.Errorf("%s is an IPv6 address, but -4 allows IPv4 only", a))
			continue
		}
		call, err := agent.Dial(v.ctx, netip.AddrPortFrom(a, v.target.Port).String(), max(time.Second, dialLimit/time.Duration(len(n.addrs))))
		if err == nil {
			return dialed{call: call}
		}
		d.err = errors.Join(d.err, fmt.Errorf("%s: %w", a, err))
	}
	return d
}

// talk lets the sensor authenticate, and asks which ports answer probes.
func (v *Visit) talk() (t talked) {
	d := v.dialed()
	if d.err != nil {
		return talked{err: errEarlier}
	}
	if t.err = d.call.Authenticate(v.opts.Policy); t.err != nil {
		d.call.Abandon()
		return t
	}
	if !d.call.Asked {
		t.none = fmt.Errorf("%w: it has not asked for interfaces", agent.ErrNoProbes)
		d.call.Close()
		return t
	}
	if t.offer, t.none = d.call.AskToProbe(); t.none != nil {
		d.call.Close()
		return t
	}
	t.round = d.call.Took
	t.at = time.Now().Add(-t.round / 2) // the sensor reads its clock when it has opened its ports, last of all
	return t
}
