package sensor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
	"rpcapd/test/tool"
)

// manyRules are n rules, each for an interface, a filter and a source network of its own.
func manyRules(n int) []rule.Rule {
	rules := make([]rule.Rule, n)
	for i := range rules {
		rules[i] = rule.Rule{
			Name: fmt.Sprint("r", i), Interfaces: []string{fmt.Sprint("eth", i)}, Filter: fmt.Sprint("tcp port ", i+1),
			AllowAgents: prefixes("10.0.0.0/8", fmt.Sprintf("192.0.2.%d/32", i)),
		}
	}
	return rules
}

// TestManyRules: of two hundred, each agent gets the first that one of its interfaces satisfies.
func TestManyRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 200
		b := newBubble(t, Options{})
		defer b.stop()
		rules := manyRules(n)
		for _, r := range rules {
			b.known(r.Filter)
		}
		b.reload(rules...)
		for _, x := range []struct {
			agent, want string
			interfaces  []rpcap.Interface
		}{
			{"10.0.0.1", "r199", list(testInterface("eth199", "10.0.0.1"))},
			{"10.0.0.2", "r64", list(testInterface("eth70", "10.0.0.2"), testInterface("eth64", "10.0.1.2"))},
			{"192.0.2.63", "r63", list(testInterface("eth0", "192.0.2.63"), testInterface("eth63", "10.0.1.3"))},
		} {
			b.connect(x.agent, func(a *testAgent) { a.list = x.interfaces })
			found := false
			for _, p := range b.Peers() {
				found = found || p.Address.Addr().String() == x.agent && p.State == status.StateRunning && p.Rule == x.want
			}
			if !found {
				t.Errorf("%s does not have rule %s: %+v", x.agent, x.want, b.Peers())
			}
		}
	})
}

// TestManyFiltersAreCompiled: it takes a moment, not minutes, and the second time nothing.
func TestManyFiltersAreCompiled(t *testing.T) {
	tool.Need(t, "tcpdump")
	begin := time.Now()
	s, err := New(Options{Rules: manyRules(64)})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	again := took // the best of a few
	for range 3 {
		begin = time.Now()
		if err := s.Reload(t.Context(), manyRules(64), nil); err != nil {
			t.Fatal(err)
		}
		again = min(again, time.Since(begin))
	}
	if took > time.Minute || again > took/4 {
		t.Errorf("64 filters in %v, the second time in %v", took, again)
	}
}
