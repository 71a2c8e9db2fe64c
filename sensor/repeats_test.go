package sensor

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/rpcap"
)

func TestRepeats(t *testing.T) {
	var r repeats
	now := time.Now()
	due := func(key string, at time.Duration) string { return fmt.Sprint(r.due(key, 1, now.Add(at))) }
	for i, step := range []struct {
		key  string
		at   time.Duration
		want string
	}{
		{"a", 0, "0 true"}, {"a", time.Minute, "0 false"}, {"b", time.Minute, "0 true"}, {"a", 59 * time.Minute, "0 false"},
		{"a", time.Hour, "3 true"}, {"a", time.Hour + 1, "0 false"},
	} {
		if got := due(step.key, step.at); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	r.forget("a")
	if got := due("a", time.Hour+2); got != "0 true" {
		t.Errorf("forgotten: %s", got)
	}
	told := 0
	for i := range 3 * maxRepeats {
		if _, ok := r.due(fmt.Sprint(i), 1, now.Add(time.Hour+3)); ok {
			told++
		}
	}
	if len(r.told) > maxRepeats+1 || told > maxRepeats {
		t.Errorf("%d keys, %d told", len(r.told), told)
	}
}

// TestRepeatedTexts: an agent that finds new words each time is told of a few times, and again after an hour; a few lines
// come before the count where that is wanted.
func TestRepeatedTexts(t *testing.T) {
	var r repeats
	now := time.Now()
	lines := func(at time.Duration, few int) (n int) {
		for i := range 100 {
			if _, ok := r.due(r.key("10.0.0.2", fmt.Sprint("words ", at, i), now.Add(at)), few, now.Add(at)); ok {
				n++
			}
		}
		return n
	}
	if a, b := lines(0, 1), lines(time.Hour, 1); a != maxTexts+1 || b != maxTexts+1 {
		t.Errorf("%d lines, after an hour %d", a, b)
	}
	for i := range 3 * maxRepeats {
		r.key(fmt.Sprint(i), "x", now.Add(time.Hour))
	}
	if len(r.texts) > maxRepeats {
		t.Errorf("%d are remembered", len(r.texts))
	}
	told := 0
	for range 100 {
		if _, ok := r.due("turns", maxTurns, now); ok {
			told++
		}
	}
	if again, ok := r.due("turns", maxTurns, now.Add(time.Hour)); told != maxTurns || again != 100-maxTurns+1 || !ok {
		t.Errorf("%d told, then %d times, %v", told, again, ok)
	}
}

// TestUnwantedAgentsLog: an agent that nobody wants dials again each 30 s; one that is refused begins a new session each
// minute. Each is one line in an hour, and the page counts them.
func TestUnwantedAgentsLog(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		rule       Rule
	}{
		{"address", "connection refused", Rule{AllowAgents: prefixes("10.9.0.0/16")}},
		{"interface", "nothing is captured", Rule{Interfaces: []string{"eth9"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				tc.rule.Name = "all"
				b := newBubble(t, Options{Rules: []Rule{tc.rule}, Log: zap.New(core)})
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
		if n := len(b.live(netip.MustParseAddr("10.0.0.2"))); n != 1 {
			t.Errorf("%d sessions a second after one has ended", n)
		}
	})
}
