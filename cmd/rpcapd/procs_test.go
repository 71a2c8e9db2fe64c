package main

import (
	"runtime"
	"testing"

	"rpcapd/config"
)

func TestProcs(t *testing.T) {
	one, group, off := config.Target{Fanout: 1}, config.Target{Fanout: 4}, config.Target{Fanout: 8, Disabled: "why"}
	for _, c := range []struct {
		most    int
		targets []config.Target
		want    int
	}{
		{64, nil, 1},
		{64, []config.Target{one}, 2},
		{64, []config.Target{one, group, off}, 6},
		{2, []config.Target{one, group}, 2},
		{1, []config.Target{one}, 1},
		{0, []config.Target{one}, 0},
	} {
		if n := (procs{c.most}).wanted(c.targets); n != c.want {
			t.Errorf("%d of %d, want %d", n, c.most, c.want)
		}
	}
	before := runtime.GOMAXPROCS(0)
	t.Setenv("GOMAXPROCS", "3")
	if newProcs(false).follow([]config.Target{one, group}); runtime.GOMAXPROCS(0) != before {
		t.Errorf("%d, although the operator has chosen", runtime.GOMAXPROCS(0))
	}
}
