package main

import (
	"fmt"
	"time"

	"rpcapd/agent"
	"rpcapd/printable"
)

// probes are what --probe of status can ask.
var probes = map[string]func(*agent.Status, time.Time) error{"live": probeLive, "ready": probeReady}

// probe answers a supervisor: nil is yes.
func probe(what string, st *agent.Status, now time.Time) error {
	ask := probes[what]
	if ask == nil {
		return usageError{fmt.Errorf("--probe %q: it is live or ready", what)}
	}
	return ask(st, now)
}

// probeLive says whether the agent writes its status, which it does at least each 5 s.
func probeLive(st *agent.Status, now time.Time) error {
	if age := now.Sub(st.Updated); age > staleAfter {
		return fmt.Errorf("not live: the status is %s old", span(age))
	}
	return nil
}

// probeReady says whether each session can do what a sensor asks for. A session that waits for its interface can: on a node without
// pods there is nothing to capture. One that a sensor has closed for good waits for a reload.
func probeReady(st *agent.Status, now time.Time) error {
	if err := probeLive(st, now); err != nil {
		return err
	}
	if st.Reload.Error != "" {
		return fmt.Errorf("not ready: the last reload was refused: %s", printable.Line(st.Reload.Error, 500))
	}
	for i := range st.Sessions {
		x := &st.Sessions[i]
		switch x.State {
		case agent.StateConnecting, agent.StateConnected, agent.StateBackoff:
			reason := ""
			if x.LastError != "" {
				reason = ": " + printable.Line(x.LastError, 500)
			}
			return fmt.Errorf("not ready: %s is %s%s", printable.Line(x.Sensor, 300), x.State, reason)
		}
	}
	return nil
}
