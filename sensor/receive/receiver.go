package receive

import (
	"sync"
	"time"

	"rpcapd/sensor/status"
)

// Receiver takes in the frames of all captures.
type Receiver struct {
	config Config
	ports  *portPool

	mu        sync.Mutex // guards what follows; the shards of dedup come after it
	limits    Limits
	dedup     *dedup // nil: off
	forgotten uint64 // frames that earlier tables had to forget
}

// New opens nothing; a port is opened when it is first needed.
func New(c Config) *Receiver {
	if c.Open == nil {
		c.Open = openUDP(c.Data.GROOff)
	}
	return &Receiver{config: c, ports: newPortPool(&c), limits: c.Limits, dedup: newDedup(c.Dedup)}
}

// Probe finds out whether data ports are to be had. The error is that none can be opened.
func (r *Receiver) Probe() error { return r.ports.probe() }

// Ports describes the open data ports.
func (r *Receiver) Ports() []status.Port { return r.ports.status() }

// Close ends every data port and waits for it. All captures must have ended.
func (r *Receiver) Close() { r.ports.close() }

// exchange: a capture that begins has both the old values, and is known to the hub afterwards, or the new ones: Hub.Between calls it.
func (r *Receiver) exchange(l Limits, window time.Duration) (d *dedup, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = l
	if d = r.dedup; window == d.span() {
		return d, false
	}
	r.forgotten += d.forgotten()
	d = newDedup(window)
	r.dedup = d
	return d, true
}

// settings are for a capture that begins.
func (r *Receiver) settings() (Limits, *dedup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits, r.dedup
}

// DedupForgotten counts frames that were forgotten before the window of duplicates was over, because too many came.
func (r *Receiver) DedupForgotten() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.forgotten + r.dedup.forgotten()
}
