package tcpdump

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rpcapd/filter"
	"rpcapd/printable"
	"rpcapd/rpcap"
)

const (
	// compileTimeout bounds a run of tcpdump for a rule or an output, and half of it the processor's time; the rest is for
	// names that have to be looked up, and for a busy machine.
	compileTimeout = 20 * time.Second
	// maxCompiled bounds the cache, in filters and in instructions (8 bytes): link types come from agents.
	maxCompiled, maxCompiledInstructions = 1024, 1 << 20
	// RefusedFor is how long tcpdump's refusal is remembered: a thousand agents with one rule ask at once. hardFor is
	// the same for a filter that it has worked on until it was stopped.
	RefusedFor, hardFor = 30 * time.Second, 10 * time.Minute
	// Ethernet is the link type a filter is checked with when the sensor starts.
	Ethernet = 1
	// maxCompiling bounds the runs of tcpdump at once.
	maxCompiling = 4
	// maxQuoted is as much of a filter as a message has, in characters.
	maxQuoted = 80
)

// Compiler turns expressions in tcpdump syntax into programs by means of tcpdump -ddd, one per link type.
type Compiler struct {
	command

	slots chan struct{} // one for each run of tcpdump

	mu      sync.Mutex // a leaf
	cache   map[compilerKey]rpcap.Program
	held    int // instructions in cache
	refused map[compilerKey]refusedFilter
	running map[compilerKey]chan struct{} // closed when that run of tcpdump has ended; nobody else compiles the same
}

// refusedFilter is an error that holds for a while.
type refusedFilter struct {
	err   error
	until time.Time
}

type compilerKey struct {
	expression string
	linkType   uint32
	inBytes    bool // the program is for frames with all tags in their bytes
}

// NewCompiler returns a compiler for the filters of the sensor's own file. It starts nothing.
func NewCompiler() *Compiler {
	return compilerOf(maxCompiling, command{wall: compileTimeout, cpu: compileTimeout / 2, memory: 512 << 20})
}

// NewLimited returns a compiler for the filters that others ask for, so that they cost little however many come: two runs of
// tcpdump at once, at the lowest priority, of five seconds and 128 MiB. It starts nothing.
func NewLimited() *Compiler {
	const limit = 5 * time.Second
	return compilerOf(2, command{wall: limit, cpu: limit, memory: 128 << 20, nice: 19})
}

func compilerOf(slots int, t command) *Compiler {
	t.tcpdump = "tcpdump"
	return &Compiler{
		command: t, slots: make(chan struct{}, slots),
		cache: make(map[compilerKey]rpcap.Program), refused: make(map[compilerKey]refusedFilter),
		running: make(map[compilerKey]chan struct{}),
	}
}

// Compile returns the program for frames of the given link type (a DLT number) as Linux filters them: the outer VLAN tag
// of Ethernet is beside the frame. An empty expression accepts all and needs no tcpdump.
func (c *Compiler) Compile(ctx context.Context, expression string, linkType uint32) (rpcap.Program, error) {
	return c.program(ctx, compilerKey{expression: expression, linkType: linkType})
}

// CompileFor is Compile for an agent's device. Windows leaves all tags in the bytes, and a program that asks for one
// beside them would refuse every frame there.
func (c *Compiler) CompileFor(ctx context.Context, expression string, linkType uint32, device string) (rpcap.Program, error) {
	return c.program(ctx, compilerKey{expression, linkType, strings.HasPrefix(device, `\Device\`)})
}

func (c *Compiler) program(ctx context.Context, key compilerKey) (rpcap.Program, error) {
	if strings.TrimSpace(key.expression) == "" {
		return rpcap.AcceptAll(), nil
	}
	for {
		p, busy, err := c.known(key)
		if p != nil || err != nil {
			return p, err
		}
		if busy == nil {
			break
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, About(key.expression, context.Cause(ctx))
		}
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return c.settle(key, nil, context.Cause(ctx), 0)
	}
	p, err := c.build(ctx, key)
	<-c.slots
	return c.settle(key, p, err, holdsFor(ctx, err))
}

// build compiles a filter. One that asks for the outer VLAN tag of Ethernet becomes two programs: tcpdump thinks that it
// compiles for a file, whose frames have that tag in their bytes, and where Linux filters they do not.
func (c *Compiler) build(ctx context.Context, key compilerKey) (rpcap.Program, error) {
	if err := onlyLive(key.expression); err != nil {
		return nil, err
	}
	untagged, err := c.run(ctx, key.expression, key.linkType)
	if key.linkType != Ethernet || key.inBytes || err != nil && !errors.Is(err, errRejectsAll) {
		return untagged, err
	}
	expression, found := besideTag(key.expression)
	if !found {
		return untagged, err
	}
	tagged, taggedErr := c.run(ctx, expression, key.linkType)
	switch {
	case taggedErr == nil:
		if tagged, taggedErr = filter.DirectTagLoads(tagged); taggedErr != nil {
			taggedErr = &Error{what: "this version of tcpdump compiles vlan in an unknown way", err: taggedErr, cure: "install another version"}
		}
	case errors.Is(taggedErr, errRejectsAll) && err == nil:
		tagged, taggedErr = refuseAll, nil
	}
	if taggedErr != nil {
		return nil, taggedErr
	}
	if err != nil {
		untagged = refuseAll
	}
	p, err := filter.ByTag(tagged, untagged)
	if err != nil {
		return nil, &Error{what: "it is too long", err: err, hard: true, cure: cureLong}
	}
	return p, nil
}

// refuseAll is the program that lets no frame pass.
var refuseAll = rpcap.Program{{Op: 0x06}}

// holdsFor is how long an error stays true. That ctx was cancelled says nothing about the filter.
func holdsFor(ctx context.Context, err error) time.Duration {
	failed := (*Error)(nil)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return 0
	case errors.As(err, &failed) && failed.hard:
		return hardFor
	}
	return RefusedFor
}

// known returns what is remembered of a filter, or the channel that closes when somebody else has compiled it. Without
// either the caller is to compile it, and to call settle.
func (c *Compiler) known(key compilerKey) (p rpcap.Program, busy <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.cache[key]; ok {
		return p, nil, nil
	}
	if r := c.refused[key]; time.Now().Before(r.until) {
		return nil, nil, r.err
	}
	if done := c.running[key]; done != nil {
		return nil, done, nil
	}
	c.running[key] = make(chan struct{})
	return nil, nil, nil
}

// settle remembers the outcome, an error for a while, and wakes those who wait for it.
func (c *Compiler) settle(key compilerKey, p rpcap.Program, err error, hold time.Duration) (rpcap.Program, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.running[key])
	delete(c.running, key)
	if err != nil {
		err = About(key.expression, err)
		if hold > 0 {
			if len(c.refused) >= maxCompiled {
				clear(c.refused)
			}
			c.refused[key] = refusedFilter{err, time.Now().Add(hold)}
		}
		return nil, err
	}
	if len(c.cache) >= maxCompiled || c.held+len(p) > maxCompiledInstructions {
		clear(c.cache)
		c.held = 0
	}
	c.cache[key] = p
	c.held += len(p)
	return p, nil
}

// About puts a filter behind what is wrong with it: it may be long, and whoever cuts the text leaves the reason.
func About(expression string, err error) error {
	return fmt.Errorf("%w (filter %q)", err, printable.Line(expression, maxQuoted))
}

// ForgetRefusals makes tcpdump judge anew: it may have been installed meanwhile.
func (c *Compiler) ForgetRefusals() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.refused)
}

// Check finds an expression that could be compiled for no link type.
func (c *Compiler) Check(ctx context.Context, expression string) error {
	_, err := c.Compile(ctx, expression, Ethernet)
	if err == nil || !LinkTypeMatters(err) {
		return err
	}
	for _, linkType := range UsualLinkTypes {
		_, other := c.Compile(ctx, expression, linkType)
		if other == nil {
			return nil
		}
		if failed := (*Error)(nil); errors.As(other, &failed) {
			return other
		}
	}
	return err
}

// LinkTypeMatters reports whether a filter that is refused for one link type may be good for another.
func LinkTypeMatters(err error) bool {
	failed := (*Error)(nil)
	return !errors.As(err, &failed) && !errors.As(err, new(meaninglessError)) && !strings.Contains(err.Error(), "syntax error")
}

// UsualLinkTypes are the DLT numbers whose programs are compiled up front: Ethernet, BSD loopback, raw IP, 802.11 with
// and without radiotap, Linux cooked in both versions.
var UsualLinkTypes = []uint32{Ethernet, 0, 12, 105, 127, 113, 276}
