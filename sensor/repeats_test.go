package sensor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
)

// TestUnwantedAgentsLog: an agent that nobody wants dials again each 30 s; one that is refused begins a new session each
// minute. Each is one line in an hour, and the page counts them.
func TestUnwantedAgentsLog(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		rule       rule.Rule
	}{
		{"address", "connection refused", rule.Rule{AllowAgents: prefixes("10.9.0.0/16")}},
		{"interface", "nothing is captured", rule.Rule{Interfaces: []string{"eth9"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				tc.rule.Name = "all"
				b := newBubble(t, Options{Rules: []rule.Rule{tc.rule}, Log: zap.New(core)})
				defer b.stop()
				for range 120 {
					a := b.connect("10.0.0.2", nil)
					after(30 * time.Second)
					a.conn.Close()
					after(time.Second)
				}
				lines := 0
				for _, e := range logs.All() {
					if strings.Contains(e.Message, tc.line) {
						lines++
					}
				}
				if lines < 1 || lines > 2 || logs.Len() > 4 {
					t.Errorf("%d lines, %d of them %q", logs.Len(), lines, tc.line)
				}
				if c := b.Counters(); c.Accepted != 120 || tc.rule.AllowAgents != nil && c.Unwanted != 120 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// TestProbedSessionGoesOnReading: a session that another one of its address has asked for a sign of life sees the end of its
// connection at once, and not when its next STATS are due.
func TestProbedSessionGoesOnReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		first := b.connect("10.0.0.2", nil)
		after(2 * provenAlive)
		b.connect("10.0.0.2", nil) // asks the first
		after(100 * time.Millisecond)
		if n := first.asked(rpcap.TypeStatsRequest); n != 1 {
			t.Fatalf("STATS %d times", n)
		}
		first.conn.Close()
		after(lingerTime + 100*time.Millisecond)
		if n := b.live(); n != 1 {
			t.Errorf("%d sessions a second after one has ended", n)
		}
	})
}
