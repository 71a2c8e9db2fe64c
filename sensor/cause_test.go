package sensor

import (
	"errors"
	"testing"
	"testing/synctest"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/sensor/tcpdump"
)

// TestCauses: each refusal has the cause by which the page finds its cure.
func TestCauses(t *testing.T) {
	reply := func(code rpcap.Code, text string) func([]byte) [][]byte {
		return func([]byte) [][]byte { return [][]byte{errorReply(code, text)} }
	}
	on := func(r rpcap.Type, code rpcap.Code, text string) func(*testAgent) {
		return func(a *testAgent) { a.on(r, reply(code, text)) }
	}
	down := func(list ...rpcap.Interface) func(*testAgent) {
		return func(a *testAgent) {
			a.list = list
			a.on(rpcap.TypeOpenRequest, reply(rpcap.CodeOpen, "no such device"))
		}
	}
	for _, tc := range []struct {
		name   string
		rule   rule.Rule
		script func(*testAgent)
		want   status.Cause
	}{
		{"null authentication", rule.Rule{}, on(rpcap.TypeAuthRequest, rpcap.CodeAuth, "no"), status.CauseNullAuth},
		{"null authentication, newer code", rule.Rule{}, on(rpcap.TypeAuthRequest, rpcap.CodeAuthType, "no"), status.CauseNullAuth},
		{"password", rule.Rule{User: "u"}, on(rpcap.TypeAuthRequest, rpcap.CodeAuth, "no"), status.CausePassword},
		{"password, newer code", rule.Rule{User: "u"}, on(rpcap.TypeAuthRequest, rpcap.CodeAuthFailed, "no"), status.CausePassword},
		{"TLS", rule.Rule{}, on(rpcap.TypeAuthRequest, rpcap.CodeTLSRequired, "no"), status.CauseProtocol},
		{"no interface matches", rule.Rule{Interfaces: []string{"eth9"}}, nil, status.CauseNoInterface},
		{"filter", rule.Rule{Filter: "no such word"}, nil, status.CauseFilter},
		{"open", rule.Rule{}, on(rpcap.TypeOpenRequest, rpcap.CodeOpen, "no"), status.CauseInterface},
		{"open, interface down", rule.Rule{}, down(rpcap.Interface{Name: "lo", Flags: rpcap.InterfaceUp | rpcap.InterfaceLoopback},
			rpcap.Interface{Name: "eth0"}), status.CauseInterfaceDown},
		{"open, a library that knows no flags", rule.Rule{}, down(rpcap.Interface{Name: "eth0"}), status.CauseInterface},
		{"start, UDP data", rule.Rule{}, on(rpcap.TypeStartCaptureRequest, rpcap.CodeStartCapture, "no"), status.CauseInterface},
		{"lists nothing", rule.Rule{}, on(rpcap.TypeFindAllRequest, rpcap.CodeFindAll, "no"), status.CauseOther},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.rule.Name = "all"
				b := newBubble(t, Options{Rules: []rule.Rule{tc.rule}, compiler: anyFilter{tcpdump.NewCompiler()}}) // New would refuse it
				defer b.stop()
				b.compiler = &fakeCompiler{Compiler: b.compiler, err: errors.New("tcpdump is not there")}
				b.connect("10.0.0.2", tc.script)
				after(2 * lingerTime)
				if p := b.Peers()[0]; p.State != status.StateHeld || p.Cause != tc.want || p.LastCause != tc.want {
					t.Errorf("%s (%s): cause %q, last %q", p.State, p.Reason, p.Cause, p.LastCause)
				}
			})
		})
	}
}
