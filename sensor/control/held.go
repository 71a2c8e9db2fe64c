package control

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"rpcapd/sensor/oncelog"

	"go.uber.org/zap"
)

// heldFor is how long an unwanted connection is kept in silence. Closing at once would make a C agent redial thousands of
// times a second.
const heldFor = 30 * time.Second

// heldConns keeps unwanted connections open without a word.
type heldConns struct {
	limits Limits
	log    *zap.Logger

	mu      sync.Mutex // a leaf
	conns   map[net.Conn]*time.Timer
	per     map[netip.Addr]int
	closed  bool
	repeats oncelog.Log
}

func newHeldConns(limits Limits, log *zap.Logger) *heldConns {
	return &heldConns{limits: limits, log: log, conns: make(map[net.Conn]*time.Timer), per: make(map[netip.Addr]int)}
}

// add holds conn for a while; beyond the limits it is closed at once.
func (h *heldConns) add(conn net.Conn, addr netip.Addr, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.conns) >= h.limits.Held || h.per[addr] >= h.limits.HeldPerAddress {
		_ = conn.Close()
		return
	}
	h.repeats.Once(h.log, addr.String()+" "+why, zap.WarnLevel, "connection refused; held in silence",
		zap.Stringer("agent", addr), zap.String("reason", why), zap.Duration("for", heldFor))
	h.per[addr]++
	h.conns[conn] = time.AfterFunc(heldFor, func() { h.drop(conn, addr) })
}

func (h *heldConns) drop(conn net.Conn, addr netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.conns[conn]; !ok {
		return
	}
	delete(h.conns, conn)
	if h.per[addr]--; h.per[addr] <= 0 {
		delete(h.per, addr)
	}
	_ = conn.Close()
}

// close lets go of all.
func (h *heldConns) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for conn, timer := range h.conns {
		timer.Stop()
		_ = conn.Close()
	}
	clear(h.conns)
	clear(h.per)
}

// Limits bounds what agents can make a Server hold.
type Limits struct {
	Sessions           int // at once
	SessionsPerAddress int // of one agent address
	Held               int // unwanted connections held open in silence
	HeldPerAddress     int // of one address
}
