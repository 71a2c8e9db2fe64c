//go:build unix

package sensor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// asksForTag reports whether a program asks for the tag beside a frame, which is refused outside Linux.
func asksForTag(p rpcap.Program) bool {
	return slices.ContainsFunc(p, func(in rpcap.Instruction) bool { return in.K == filter.TagPresent })
}

// TestVLANPrograms: which filters become two programs, and for whom.
func TestVLANPrograms(t *testing.T) {
	needTcpdump(t)
	c := newCompiler()
	for _, tc := range []struct {
		expression string
		linkType   uint32
		device     string
		asks       bool
		err        string
	}{
		{"vlan 5", linkEthernet, "eth0", true, ""},
		{"vlan 5", linkEthernet, `\Device\NPF_{4F5E}`, false, ""},
		{"vlan and ip", linkEthernet, "eth0", true, ""},
		{"ip", linkEthernet, "eth0", false, ""},
		{"geneve and vlan 5", linkEthernet, "eth0", false, ""},
		{"vlan 5 and geneve", linkEthernet, "eth0", true, ""},
		{"vlan 5", 105, "wlan0", false, ""},
		{"vlan 5", 12, "tun0", false, "no VLAN support for Raw IP"},
		{"vlan 5000", linkEthernet, "eth0", false, "VLAN tag 5000 greater than maximum 4095"},
		// Nothing passes as long as the tag is in the bytes: the second "vlan" would have to be the ethertype of IP.
		{"ip and vlan", linkEthernet, `\Device\NPF_{4F5E}`, false, errRejectsAll.Error()},
		{"ip and vlan", linkEthernet, "eth0", true, ""},
		{"vlan and ip and arp", linkEthernet, "eth0", false, errRejectsAll.Error()},
	} {
		p, err := c.compileFor(t.Context(), tc.expression, tc.linkType, tc.device)
		if tc.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), tc.err) {
				t.Errorf("%q for %s: %v, want %q", tc.expression, tc.device, err, tc.err)
			}
			continue
		}
		if err != nil || asksForTag(p) != tc.asks || filter.Validate(p) != nil {
			t.Errorf("%q for %s: asks %v, want %v; %v, %v", tc.expression, tc.device, asksForTag(p), tc.asks, err, filter.Validate(p))
		}
	}
}

// TestVLANTooLong: two programs of which each has a place in a request, and both together have none.
func TestVLANTooLong(t *testing.T) {
	c := newCompiler()
	fakeTcpdump(t, c, "echo 5000; for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do for k in 0 1 2 3 4; do for l in 0 1 2 3 4 5 6 7 8; do echo 0 0 0 0; done; echo 6 0 0 1; done; done; done\n")
	if p, err := c.compile(t.Context(), "ip", linkEthernet); err != nil || len(p) != 5000 {
		t.Fatalf("%d instructions, %v", len(p), err)
	}
	if _, err := c.compile(t.Context(), "vlan", linkEthernet); err == nil || !strings.HasPrefix(err.Error(), "it is too long: 10003 instructions") {
		t.Errorf("%v", err)
	}
}

// TestFilterFailsInSession: an agent for whose link type the filter cannot be had is held, and told why in one message of 255
// bytes: the reason is in front of the filter.
func TestFilterFailsInSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		long := "not (host 10.2.0.1" + strings.Repeat(" or host 10.2.0.1", 1000) + ")"
		key := compilerKey{expression: long, linkType: linkEthernet}
		why := about(key, &toolError{what: "tcpdump has computed for 10s without a result", cure: cureLong})
		b.compiler.refused[key] = refusedFilter{why, time.Now().Add(time.Hour)}
		b.rules.all[0].Filter = long // New would refuse it
		a := b.connect("10.0.0.2", nil)
		if p := b.peer(); p.State != StateHeld || p.Cause != CauseFilter || len(p.Reason) > 400 || !strings.Contains(p.Reason, cureLong) {
			t.Errorf("%s, %s: %s", p.State, p.Cause, p.Reason)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.errors) != 1 || !strings.Contains(a.errors[0].Text, "without a result; write networks instead of many hosts") {
			t.Errorf("the agent was told %q", a.errors)
		}
	})
}

// TestSelectionWithoutAFurtherLinkType: a filter that keeps tcpdump too long on a further link type does not make the ones before useless.
func TestSelectionWithoutAFurtherLinkType(t *testing.T) {
	c := NewCompiler()
	fakeTcpdump(t, c.compiler, `test "$(od -An -tu1 -j20 -N1 | tr -d " ")" = 1 && { echo 1; echo 6 0 0 1; exit; }; kill -9 $$`+"\n")
	s, err := Selection{Filter: "ip"}.CompileWith(t.Context(), c, []uint32{linkEthernet, 12})
	if err != nil || s.machine(linkEthernet) == nil || s.machine(101) != nil {
		t.Fatalf("%v", err)
	}
	if _, err := (Selection{Filter: "ip"}).CompileWith(t.Context(), c, []uint32{12}); !errors.As(err, new(*toolError)) {
		t.Errorf("%v", err)
	}
}
