package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/savefile"
	"rpcapd/sensor/address"
	"rpcapd/sensor/tcpdump"
	"rpcapd/udpstr"
)

// maxSelected bounds the patterns of a selection, and the link types whose programs a selector keeps.
const maxSelected = 1024

// Selection says which streams and which of their frames a consumer wants, and how much of each. The zero value is
// everything.
type Selection struct {
	Agents   []string // patterns of path.Match for the alias or the address, or networks such as 10.1.0.0/16; any may match
	Rules    []string // patterns for the name of the rule; any may match
	Filter   string   // tcpdump syntax
	MaxFrame int      // bytes of a frame that Select passes on; 0: all
}

// Everything reports whether nothing is left out.
func (s Selection) Everything() bool {
	return len(s.Agents) == 0 && len(s.Rules) == 0 && strings.TrimSpace(s.Filter) == "" && s.MaxFrame == 0
}

// Check finds the mistakes that can be found without tcpdump.
func (s Selection) Check() error {
	if len(s.Agents) > maxSelected || len(s.Rules) > maxSelected {
		return fmt.Errorf("check selection: more than %d patterns", maxSelected)
	}
	for _, a := range s.Agents {
		if _, err := parseAgentPattern(a); err != nil {
			return err
		}
	}
	for _, r := range s.Rules {
		if _, err := path.Match(r, ""); err != nil {
			return fmt.Errorf("check selection: rule pattern %q: %w", r, err)
		}
	}
	return nil
}

// agentPattern is a network or a pattern for names.
type agentPattern struct {
	network netip.Prefix // not valid: glob counts
	glob    string
}

func parseAgentPattern(text string) (agentPattern, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return agentPattern{network: p.Masked()}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		a = address.Plain(a)
		return agentPattern{network: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if _, err := path.Match(text, ""); err != nil || text == "" {
		return agentPattern{}, fmt.Errorf("check selection: agent %q: write a name, a pattern such as web*, an address or a network", text)
	}
	return agentPattern{glob: text}, nil
}

func (a agentPattern) matches(s Source) bool {
	if a.network.IsValid() {
		return a.network.Contains(s.Agent)
	}
	alias, _, _ := strings.Cut(s.Host, "#") // "#2" belongs to the session and not to the agent
	for _, name := range []string{s.Host, alias, s.Agent.String()} {
		if ok, err := path.Match(a.glob, name); err == nil && ok {
			return true
		}
	}
	return false
}

// Selector is a Selection ready for use. Any number of goroutines may use one.
type Selector struct {
	agents   []agentPattern
	rules    []string
	filter   string
	compiler *tcpdump.Compiler

	late     sync.WaitGroup                      // compileLate
	stop     chan struct{}                       // closed by Close
	mu       sync.Mutex                          // a leaf; held while machines is replaced
	closed   bool                                // guarded by mu
	machines atomic.Pointer[map[uint32]*machine] // by LINKTYPE number; copied for each change
}

// machine is a filter for one link type.
type machine struct {
	vm    *filter.VM
	state machineState
	until time.Time // machineRefused: tried again for the next source after this
}

type machineState uint8

const (
	machineCompiling machineState = iota // no frame passes yet
	machineReady
	machineRefused // no frame passes: the filter has no meaning on this link type, or a name in it could not be looked up
)

// Compile checks the selection and compiles its filter with tcpdump for the usual link types. It may take as long as
// tcpdump needs to look up the names in the filter. The error says why no frame could ever pass.
func (s Selection) Compile(ctx context.Context) (*Selector, error) {
	return s.compileFor(ctx, tcpdump.NewCompiler(), tcpdump.UsualLinkTypes)
}

// CompileWith is Compile for a selection that somebody else asks for. Only the link types (DLT numbers) of the sources that
// there are now are compiled up front; without any of them, Ethernet.
func (s Selection) CompileWith(ctx context.Context, c *tcpdump.Compiler, linkTypes []uint32) (*Selector, error) {
	if len(linkTypes) == 0 {
		linkTypes = []uint32{tcpdump.Ethernet}
	}
	return s.compileFor(ctx, c, linkTypes)
}

func (s Selection) compileFor(ctx context.Context, c *tcpdump.Compiler, linkTypes []uint32) (*Selector, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	sel := &Selector{rules: s.Rules, filter: strings.TrimSpace(s.Filter), compiler: c, stop: make(chan struct{})}
	sel.machines.Store(&map[uint32]*machine{})
	for _, a := range s.Agents {
		p, err := parseAgentPattern(a)
		if err != nil {
			return nil, err
		}
		sel.agents = append(sel.agents, p)
	}
	if sel.filter == "" {
		return sel, nil
	}
	good, first := sel.prepare(ctx, linkTypes)
	if !good && ctx.Err() == nil && tcpdump.LinkTypeMatters(first) { // it may have a meaning where no source is yet
		good, _ = sel.prepare(ctx, tcpdump.UsualLinkTypes)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, context.Cause(ctx)
	case !good:
		return nil, first
	}
	return sel, nil
}

// prepare makes the machines of link types. good is whether one lets frames pass; first is the first error. A filter that
// keeps tcpdump too long on a further link type is left to be compiled when frames of it come.
func (s *Selector) prepare(ctx context.Context, linkTypes []uint32) (good bool, first error) {
	for _, lt := range linkTypes {
		if s.machine(savefile.FromDLT(lt)) != nil {
			continue
		}
		m, err := s.compile(ctx, lt)
		if err != nil && first == nil {
			first = err
		}
		if err != nil && (ctx.Err() != nil || !tcpdump.LinkTypeMatters(err)) {
			break
		}
		good = good || err == nil
		s.set(savefile.FromDLT(lt), m)
	}
	return good, first
}

// compile makes the machine of one link type; on an error one that lets nothing pass.
func (s *Selector) compile(ctx context.Context, linkType uint32) (*machine, error) {
	refused := &machine{state: machineRefused, until: time.Now().Add(tcpdump.RefusedFor)}
	p, err := s.compiler.Compile(ctx, s.filter, linkType)
	if err != nil {
		return refused, err
	}
	c, err := filter.UserSpace(linkType, filter.Exclusion{}, p, rpcap.MaxSnaplen)
	if err != nil {
		return refused, tcpdump.About(s.filter, err)
	}
	return &machine{vm: c.VM, state: machineReady}, nil
}

// Source reports whether frames of this source can be wanted. For a link type that is seen for the first time, or whose
// filter was refused a while ago, it begins to compile the filter; until that is done Frame refuses its frames. It does
// not block. Of a source that was not wanted because the filter was refused, frames may be wanted later: see Matches.
func (s *Selector) Source(src Source) bool {
	return s.Matches(src) && s.usable(savefile.FromDLT(src.LinkType))
}

// Matches reports whether the source is one of the agents and rules selected, whatever its link type.
func (s *Selector) Matches(src Source) bool {
	return (len(s.agents) == 0 || s.agent(src)) && (len(s.rules) == 0 || slices.ContainsFunc(s.rules, func(pattern string) bool { ok, _ := path.Match(pattern, src.Rule); return ok }))
}

// usable reports whether the filter has not been refused for a link type, a LINKTYPE number. If it is due it begins to
// compile it, without blocking.
func (s *Selector) usable(linkType uint32) bool {
	if s.filter == "" {
		return true
	}
	if m := s.machine(linkType); m != nil && !m.due() {
		return m.state != machineRefused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := *s.machines.Load()
	m := known[linkType]
	switch {
	case m != nil && !m.due():
		return m.state != machineRefused
	case m == nil && len(known) >= maxSelected, s.closed:
		return false
	}
	s.replace(linkType, &machine{})
	s.late.Go(func() { s.compileLate(linkType) })
	return true
}

func (s *Selector) machine(linkType uint32) *machine { return (*s.machines.Load())[linkType] }

// due reports whether a filter that was refused is to be tried again.
func (m *machine) due() bool { return m.state == machineRefused && time.Now().After(m.until) }

// compileLate is bounded by compileTimeout and by Close; on an error no frame of this link type passes for a while.
func (s *Selector) compileLate(linkType uint32) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ended:
		}
	}()
	m, _ := s.compile(ctx, linkType) // the machine says that it was refused, and until when
	s.set(linkType, m)
}

// Close ends what Source and Frame have begun and waits for it. Link types that were not compiled by then stay refused.
func (s *Selector) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	s.mu.Unlock()
	s.late.Wait()
}

func (s *Selector) set(linkType uint32, m *machine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(linkType, m)
}

// replace puts in a machine; s.mu is held.
func (s *Selector) replace(linkType uint32, m *machine) {
	next := maps.Clone(*s.machines.Load())
	next[linkType] = m
	s.machines.Store(&next)
}

func (s *Selector) agent(src Source) bool {
	for _, a := range s.agents {
		if a.matches(src) {
			return true
		}
	}
	return false
}

// Frame reports whether a frame of a wanted source passes the filter. linkType is Source.LinkType. A filter that was
// refused is tried again here too, in the background: streams may go on for weeks.
func (s *Selector) Frame(linkType uint32, p *udpstr.Packet) bool {
	if s.filter == "" {
		return true
	}
	m := s.machine(savefile.FromDLT(linkType))
	if m != nil && m.vm != nil {
		return m.vm.RunBytes(p.Data, p.Len) > 0
	}
	s.usable(savefile.FromDLT(linkType))
	return false
}
