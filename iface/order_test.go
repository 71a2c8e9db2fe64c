package iface

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestOrder(t *testing.T) {
	const up = Up | Running
	// In their final order; equal ones keep the order that they came in.
	want := []Interface{
		{Name: "a", Flags: up | Connected},
		{Name: "b", Flags: up},
		{Name: "c", Flags: up | Wireless | Disconnected},
		{Name: "d", Flags: up | NotApplicable},
		{Name: "lo", Flags: up | Loopback | NotApplicable},
		{Name: "e", Flags: up | Disconnected},
		{Name: "f", Flags: Running | Connected},
		{Name: "g", Flags: Up | Connected},
		{Name: "h", Flags: Up | Disconnected},
		{Name: "i", Flags: 0},
		{Name: "lo2", Flags: Loopback | NotApplicable},
		{Name: "j", Flags: Disconnected},
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		got := slices.Clone(want)
		r.Shuffle(len(got), func(a, b int) { got[a], got[b] = got[b], got[a] })
		// Put back the order of the equal ones.
		equal := func(i Interface) int { return slices.Index([]string{"a", "b", "c", "d"}, i.Name) }
		var places []int
		for n := range got {
			if equal(got[n]) >= 0 {
				places = append(places, n)
			}
		}
		for n, place := range places {
			got[place] = want[n]
		}
		order(got)
		for n := range want {
			if got[n].Name != want[n].Name {
				t.Fatalf("place %d: %s, want %s", n, got[n].Name, want[n].Name)
			}
		}
	}
}
