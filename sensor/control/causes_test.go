package control

import (
	"testing"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// TestStartCause: a TCP listener cannot be in a bubble.
func TestStartCause(t *testing.T) {
	refused := func(text string) *rpcap.Error { return &rpcap.Error{Code: rpcap.CodeStartCapture, Text: text} }
	for _, tc := range []struct {
		name      string
		chosen    rule.Choice
		err       *rpcap.Error
		connected bool
		want      status.Cause
	}{
		{"TCP, no connection", rule.Choice{Rule: &rule.Rule{TCP: true}}, refused("no"), false, status.CauseDataPort},
		{"TCP, connected", rule.Choice{Rule: &rule.Rule{TCP: true}}, refused("no"), true, status.CauseInterface},
		{"TCP, interface down", rule.Choice{Rule: &rule.Rule{TCP: true}, Down: true}, refused("no"), false, status.CauseInterfaceDown},
		{"filter", rule.Choice{Rule: &rule.Rule{TCP: true, Filter: "tcp"}}, refused("The Filter program is bad"), false, status.CauseFilterRefused},
		{"no filter in the rule", rule.Choice{Rule: &rule.Rule{}}, refused("filter"), false, status.CauseInterface},
	} {
		s := &session{chosen: tc.chosen}
		if got := s.startCause(tc.err, tc.connected); got != tc.want {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}
