package sensor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/tool"
)

// fakeCompiler has programs for what a test expects, so that a test in virtual time needs no tcpdump.
type fakeCompiler struct {
	rule.Compiler
	programs map[string]rpcap.Program // by expression
	err      error                    // of everything else; nil: the real compiler judges
}

func (c *fakeCompiler) Check(ctx context.Context, expression string) error {
	_, err := c.CompileFor(ctx, expression, 1, "")
	return err
}

func (c *fakeCompiler) CompileFor(ctx context.Context, expression string, linkType uint32, device string) (rpcap.Program, error) {
	switch p := c.programs[expression]; {
	case p != nil:
		return p, nil
	case c.err != nil && expression != "":
		return nil, c.err
	}
	return c.Compiler.CompileFor(ctx, expression, linkType, device)
}

// anyFilter has no objection to any filter.
type anyFilter struct{ rule.Compiler }

func (anyFilter) Check(context.Context, string) error { return nil }
func (anyFilter) ForgetRefusals()                     {}

// known makes the sensor's compiler return programs for these expressions.
func (b *bubble) known(expressions ...string) {
	c, ok := b.compiler.(*fakeCompiler)
	if !ok {
		c = &fakeCompiler{Compiler: b.compiler, programs: make(map[string]rpcap.Program)}
		b.compiler = c
	}
	for i, e := range expressions {
		c.programs[e] = rpcap.Program{{Op: 6, K: uint32(1000 + i)}}
	}
}

// TestFilterFailsInSession: an agent for whose link type the filter cannot be had is held, and told why in one message of 255
// bytes: the reason is in front of the filter.
func TestFilterFailsInSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := "not (host 10.2.0.1" + strings.Repeat(" or host 10.2.0.1", 1000) + ")"
		const cure = "write networks instead of many hosts (net 10.1.0.0/16), or ip host instead of host"
		b := newBubble(t, Options{Rules: []rule.Rule{{Name: "all", Filter: long}}, compiler: anyFilter{}}) // New would refuse it
		defer b.stop()
		b.compiler = &fakeCompiler{err: fmt.Errorf("tcpdump has computed for 10s without a result; %s (filter %q)", cure, long[:80])}
		a := b.connect("10.0.0.2", nil)
		if p := b.peer(); p.State != status.StateHeld || p.Cause != status.CauseFilter || len(p.Reason) > 400 || !strings.Contains(p.Reason, cure) {
			t.Errorf("%s, %s: %s", p.State, p.Cause, p.Reason)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.errors) != 1 || !strings.Contains(a.errors[0].Text, "without a result; write networks instead of many hosts") {
			t.Errorf("the agent was told %q", a.errors)
		}
	})
}

// TestNewRefusesFilter: a filter that tcpdump refuses is found before anything is opened, and its rule is named.
func TestNewRefusesFilter(t *testing.T) {
	tool.Need(t, "tcpdump")
	if _, err := New(Options{Rules: []rule.Rule{{Name: "web", Filter: "tcp prt 443"}}}); err == nil || !strings.Contains(err.Error(), "rule web") {
		t.Errorf("New with a bad filter: %v", err)
	}
}
