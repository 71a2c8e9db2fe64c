package sensor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"rpcapd/rpcap"
	"rpcapd/test/wait"
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

// TestHalfReadMessages: 250 connections begin messages of 1 MiB and do not end them. They cost little, and an agent at the same
// address starts.
func TestHalfReadMessages(t *testing.T) {
	s := startSensor(t, Options{Rules: []Rule{{Name: "all"}}})
	before := heap()
	part := make([]byte, 1<<20-1)
	for range 250 {
		c, err := net.Dial("tcp", s.addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		h := rpcap.Header{Type: rpcap.TypeAuthRequest.Reply(), PayloadLen: 1 << 20}
		_, _ = c.Write(append(h.Append(nil), part...)) // fails for one that gave way
	}
	wait.Until(t, "most have given way", func() bool { return len(s.live(netip.Addr{})) < 250 })
	if n := heap() - before; n > 100<<20 {
		t.Errorf("%d MiB more", n>>20)
	}
	s.budget.mu.Lock()
	total := s.budget.total
	s.budget.mu.Unlock()
	if total > maxHalfReadOfAddress {
		t.Errorf("%d bytes", total)
	}
	a := dialAgent(t, s)
	<-a.started
	s.stop(t)
}

// heap is what the process has from the system for the heap, in use or not given back.
func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys) - int64(m.HeapReleased)
}
