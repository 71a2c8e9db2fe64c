package main

import (
	"strings"
	"testing"
	"time"

	"rpcapd/agent"
)

func TestProbe(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	session := func(state agent.SessionState, last string) []agent.SessionStatus {
		return []agent.SessionStatus{{State: agent.StateCapturing}, {Sensor: "sensor:2003", State: state, LastError: last}}
	}
	for _, c := range []struct {
		what, status string
		st           agent.Status
		want         string // empty: yes
	}{
		{"live", "fresh", agent.Status{Updated: now}, ""},
		{"live", "old", agent.Status{Updated: now.Add(-time.Minute)}, "not live: the status is 1m0s old"},
		{"ready", "old", agent.Status{Updated: now.Add(-time.Minute)}, "not live: the status is 1m0s old"},
		{"live", "no sensor", agent.Status{Updated: now, Sessions: session(agent.StateBackoff, "refused")}, ""},
		{"ready", "no sensor", agent.Status{Updated: now, Sessions: session(agent.StateBackoff, "refused\x1b[2J")}, "not ready: sensor:2003 is back-off: refused"},
		{"ready", "dialing", agent.Status{Updated: now, Sessions: session(agent.StateConnecting, "")}, "not ready: sensor:2003 is connecting"},
		{"ready", "waits for an interface", agent.Status{Updated: now, Sessions: session(agent.StateWaiting, "")}, ""},
		{"ready", "all is well", agent.Status{Updated: now, Sessions: session(agent.StateReady, "an old one")}, ""},
		{"ready", "bad ini", agent.Status{Updated: now, Reload: agent.ReloadStatus{Error: "rpcapd.ini:1: bad"}}, "not ready: the last reload was refused: rpcapd.ini:1: bad"},
		{"alive", "", agent.Status{}, `--probe "alive": it is live or ready`},
	} {
		err := probe(c.what, &c.st, now)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)), err != nil && strings.Contains(err.Error(), "\x1b"):
			t.Errorf("%s, %s: %v, want %q", c.what, c.status, err, c.want)
		}
	}
}
