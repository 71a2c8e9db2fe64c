package control

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

func TestMessageBudget(t *testing.T) {
	b := newMessageBudget()
	closed := 0
	begin := func(addr string) *halfRead {
		return &halfRead{budget: b, addr: netip.MustParseAddr(addr), close: func() { closed++ }}
	}
	var one []*halfRead
	for range 16 {
		h := begin("10.0.0.1")
		if err := b.grow(h, 1<<20); err != nil {
			t.Fatal(err)
		}
		one = append(one, h)
	}
	if closed != 0 {
		t.Fatalf("%d closed within the limit", closed)
	}
	last := begin("10.0.0.1")
	if err := b.grow(last, 64<<10); err != nil || closed != 1 || !one[0].gone {
		t.Errorf("%v, %d closed, the oldest %v", err, closed, one[0].gone)
	}
	if err := b.grow(one[0], 1<<20); !errors.Is(err, errGaveWay) {
		t.Errorf("who gave way goes on: %v", err)
	}
	for i := range 100 {
		if err := b.grow(begin(fmt.Sprintf("10.0.1.%d", i)), 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if b.total > maxHalfRead || b.total < maxHalfRead-(1<<20) {
		t.Errorf("%d bytes", b.total)
	}
	for len(b.held) > 0 {
		if err := b.grow(b.held[0], 0); err != nil {
			t.Fatal(err)
		}
	}
	if b.total != 0 || len(b.of) != 0 {
		t.Errorf("%d bytes of %d addresses are left", b.total, len(b.of))
	}
}
