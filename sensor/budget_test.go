package sensor

import (
	"net"
	"runtime"
	"testing"

	"rpcapd/rpcap"
	"rpcapd/test/wait"
)

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
	wait.Until(t, "most have given way", func() bool { return s.live() < 250 })
	if n := heap() - before; n > 100<<20 {
		t.Errorf("%d MiB more", n>>20)
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
