package sensor

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// TestHears: in whatever state a session is, it hears at once that the agent has closed the connection, and that its capture
// has died (ERROR 9), also behind a message that nobody has asked for.
func TestHears(t *testing.T) {
	silent := func(t rpcap.Type) func(*testAgent) {
		return func(a *testAgent) { a.on(t, func([]byte) [][]byte { return nil }) }
	}
	refused := func(t rpcap.Type, code rpcap.Code) func(*testAgent) {
		return func(a *testAgent) { a.on(t, func([]byte) [][]byte { return [][]byte{errorReply(code, "no")} }) }
	}
	lab := rule.Rule{Name: "lab"}
	for _, state := range []struct {
		name   string
		want   status.State
		rule   rule.Rule
		before func(*bubble)
		script func(*testAgent)
		enter  func(b *bubble, a *testAgent) *testAgent // what brings it there beside time; nil: nothing
		after  time.Duration
		ended  time.Duration // how long the end of a capture may take: datagrams on their way are taken
	}{
		{name: "AUTH is not answered", want: status.StateAuthenticating, script: silent(rpcap.TypeAuthRequest)},
		{name: "AUTH is refused", want: status.StateHeld, script: refused(rpcap.TypeAuthRequest, rpcap.CodeAuth)},
		{name: "FINDALLIF is not answered", want: status.StateListing, script: silent(rpcap.TypeFindAllRequest)},
		{name: "FINDALLIF is refused", want: status.StateHeld, script: refused(rpcap.TypeFindAllRequest, rpcap.CodeFindAll)},
		{name: "no interface is wanted", want: status.StateHeld, rule: rule.Rule{Name: "lab", Interfaces: []string{"eth9"}}},
		{name: "OPEN is not answered", want: status.StateStarting, script: silent(rpcap.TypeOpenRequest)},
		{name: "SETSAMPLING is not answered", want: status.StateStarting, script: silent(rpcap.TypeSamplingRequest),
			rule: rule.Rule{Name: "lab", Sampling: rpcap.SamplingRequest{Method: rpcap.SamplingOneInN, Value: 10}}},
		{name: "older sessions are waited for", want: status.StateStarting, after: time.Second,
			enter: func(b *bubble, a *testAgent) *testAgent {
				after(time.Second)
				a.stall()
				return b.connect("10.0.0.2", nil)
			}},
		{name: "STARTCAP is not answered", want: status.StateStarting, script: silent(rpcap.TypeStartCaptureRequest), ended: lingerTime},
		{name: "running", want: status.StateRunning, after: time.Second, ended: lingerTime},
		{name: "STATS are not answered", want: status.StateRunning, script: silent(rpcap.TypeStatsRequest), after: statsInterval + time.Second, ended: lingerTime},
		{name: "STATS have not come in time", want: status.StateHeld, script: silent(rpcap.TypeStatsRequest), after: statsInterval + statsTimeout + time.Second, ended: lingerTime},
		{name: "the filter is compiled", want: status.StateStarting, before: func(b *bubble) { b.slow(0) }},
		{name: "a new filter is compiled", want: status.StateRunning, ended: lingerTime,
			enter: func(b *bubble, a *testAgent) *testAgent {
				b.known("udp")
				b.slow(1) // a reload looks itself whether the filter is good
				b.replace(rule.Rule{Name: "lab", Filter: "udp"})
				return a
			}},
		{name: "UPDATEFILTER is not answered", want: status.StateRunning, script: silent(rpcap.TypeUpdateFilterRequest), ended: lingerTime,
			enter: func(b *bubble, a *testAgent) *testAgent {
				b.known("udp")
				b.replace(rule.Rule{Name: "lab", Filter: "udp"})
				return a
			}},
		{name: "ENDCAP is not answered", want: status.StateEnding, script: silent(rpcap.TypeEndCaptureRequest), ended: lingerTime,
			enter: func(b *bubble, a *testAgent) *testAgent {
				b.replace(rule.Rule{Name: "other"})
				return a
			}},
	} {
		for event, say := range map[string]func(*testAgent){
			"FIN":     func(a *testAgent) { a.conn.Close() },
			"ERROR 9": func(a *testAgent) { a.tell(errorReply(rpcap.CodeRead, "eth0 is gone")) },
			"a stray and ERROR 9": func(a *testAgent) {
				a.tell(rpcap.AppendEmpty(nil, rpcap.TypeOpenRequest.Reply()), rpcap.AppendEmpty(nil, rpcap.TypeOpenRequest.Reply()),
					errorReply(rpcap.CodeRead, "eth0 is gone"))
			},
		} {
			t.Run(state.name+", "+event, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := state.rule
					if r.Name == "" {
						r = lab
					}
					b := newBubble(t, Options{Rules: []rule.Rule{r}})
					defer b.stop()
					if state.before != nil {
						state.before(b)
					}
					a := b.connect("10.0.0.2", state.script)
					if state.enter != nil {
						a = state.enter(b, a)
					}
					after(state.after)
					if st := b.of(a)[0].State; st != state.want {
						t.Fatalf("it is %s", st)
					}
					if b.over(a) {
						t.Fatalf("it is over: %+v", b.of(a))
					}
					say(a)
					after(state.ended)
					if !b.over(a) {
						t.Errorf("not heard after %v: %+v", state.ended, b.of(a))
					}
				})
			})
		}
	}
}

// slow makes the compiler slow after so many questions.
func (b *bubble) slow(passes int32) {
	c := slowCompiler{b.compiler, new(atomic.Int32)}
	c.passes.Store(passes)
	b.compiler = c
}

// replace gives the sensor another rule.
func (b *bubble) replace(r rule.Rule) {
	b.t.Helper()
	if err := b.Reload(b.ctx, []rule.Rule{r}, nil); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// of is the status of an agent's session, if it goes on, and then what has ended.
func (b *bubble) of(a *testAgent) []status.Peer {
	return slices.DeleteFunc(b.Peers(), func(p status.Peer) bool { return p.Address != a.addr })
}

// over reports whether an agent's session has ended, for what TestHears lets the agent say: that the connection has ended, that
// the capture has; the first of the stray messages is the answer to OPEN, if that is waited for.
func (b *bubble) over(a *testAgent) bool {
	return !slices.ContainsFunc(b.of(a), func(p status.Peer) bool {
		return p.State != status.StateEnded && !strings.HasSuffix(p.Reason, "the agent closed the connection") &&
			!strings.HasSuffix(p.Reason, "the agent's capture ended: eth0 is gone") && !strings.HasPrefix(p.Reason, "read OPEN_REPLY")
	})
}

// tell writes messages unasked.
func (a *testAgent) tell(msgs ...[]byte) {
	go func() {
		for _, m := range msgs {
			_, _ = a.conn.Write(m) // the sensor may close
		}
	}()
}

// TestHearsWhileHeldForClosing: a connection that the sensor will close, and keeps so that the agent does not redial at once,
// is let go when the agent has gone.
func TestHearsWhileHeldForClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		a := b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte { return [][]byte{errorReply(rpcap.CodeOpen, "out of step")} })
		})
		after(lingerTime + time.Second)
		if p := b.Peers(); p[0].State != status.StateHeld {
			t.Fatalf("%+v", p)
		}
		a.conn.Close()
		synctest.Wait()
		if n := b.live(); n != 0 {
			t.Errorf("%d sessions after it has gone", n)
		}
		b.stop()
	})
}

// slowCompiler never ends, unless it is told to, once it has been asked as often as it passes.
type slowCompiler struct {
	rule.Compiler
	passes *atomic.Int32
}

func (c slowCompiler) CompileFor(ctx context.Context, expression string, linkType uint32, device string) (rpcap.Program, error) {
	if c.passes.Add(-1) >= 0 {
		return c.Compiler.CompileFor(ctx, expression, linkType, device)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLongMessages: a list of interfaces may be long when it is asked for; its memory is the budget's until the next request.
// What nobody has asked for is not kept.
func TestLongMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		many := make([]rpcap.Interface, 1500)
		for i := range many {
			many[i] = testInterface("eth0", "10.0.0.2")
		}
		long := listReply(many...)
		if len(long) <= 2*shortMessage {
			t.Fatalf("%d bytes are not long", len(long))
		}
		a := b.connect("10.0.0.2", func(a *testAgent) {
			a.on(rpcap.TypeFindAllRequest, func([]byte) [][]byte { return [][]byte{long} })
		})
		if p := b.peer(); p.State != status.StateRunning {
			t.Fatalf("%+v", p)
		}
		a.tell(long, long)
		after(time.Second)
		if p := b.peer(); p.State != status.StateRunning {
			t.Errorf("%s", p.State)
		}
		b.stop()
	})
}
