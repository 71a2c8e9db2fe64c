package main

import (
	"os"
	"runtime"

	"rpcapd/config"
)

// procs is how many threads of the agent run at once: one for each capture that there may be and one for the rest, at most
// as many as the system grants. With one for each of 64 CPUs the runtime looks for work at all of them each time that a ring
// block is ready: 28 % more CPU time at 1,000 frames a second, and 2 MiB more memory; 1 instead of 2 saves nothing. The
// variable GOMAXPROCS overrides it. An agent that is bound to a CPU has one, which the runtime finds out by itself.
type procs struct{ most int } // 0: leave it alone

func newProcs(bound bool) procs {
	if bound || os.Getenv("GOMAXPROCS") != "" {
		return procs{}
	}
	return procs{runtime.GOMAXPROCS(0)}
}

// follow adapts to a configuration. What lines add that mean several interfaces is told later.
func (p procs) follow(targets []config.Target) { p.set(p.wanted(targets)) }

// sessions adapts to the number of sessions.
func (p procs) sessions(n int) { p.set(min(n+1, p.most)) }

func (p procs) set(n int) {
	if n > 0 && n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}

func (p procs) wanted(targets []config.Target) int {
	n := 1
	for _, t := range targets {
		if t.Disabled == "" && !t.Select.Many() {
			n += max(1, t.Fanout)
		}
	}
	return min(n, p.most)
}
