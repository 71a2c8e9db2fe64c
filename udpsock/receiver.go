package udpsock

import (
	"net/netip"
	"sync"
	"time"
)

// Receiver is a bound UDP socket. Receive and Datagram are called by one goroutine; the other methods by anybody at any
// time.
type Receiver struct {
	listenSocket
	local         netip.AddrPort
	asked         int // bytes of receive buffer
	granted       int
	gro           bool
	deadline      time.Time // the one that is set; the receiving goroutine's
	batch         batch
	counters      receiveCounters
	drops         dropSum
	strangers     strangers
	receiveSocket // the platform's part
	closing       sync.Once
	closeErr      error
}

// Datagram returns one of the datagrams of the last Receive, with 0 ≤ i < its result, and where it came from; IPv4 sources
// are never IPv4-mapped. The bytes are valid until the next Receive.
func (r *Receiver) Datagram(i int) (netip.AddrPort, []byte) { return r.batch.datagram(i) }

// Run returns the datagram i and those behind it that came in one message, where from, and how many: each has size bytes, the last
// may have fewer. The bytes are the caller's to change, and valid until the next Receive.
func (r *Receiver) Run(i int) (source netip.AddrPort, run []byte, size, n int) { return r.batch.run(i) }

// LocalAddr returns the address that the socket is bound to.
func (r *Receiver) LocalAddr() netip.AddrPort { return r.local }

// Port returns the port of LocalAddr.
func (r *Receiver) Port() uint16 { return r.local.Port() }

// GRO says whether receive offload is asked for. Whether datagrams arrive joined depends on sender and device: see
// ReceiveCounters.
func (r *Receiver) GRO() bool { return r.gro }

// ReceiveBuffer returns how many bytes of receive buffer were asked for and how many the kernel granted, in the same unit: Linux
// doubles both for its own overhead, so ss(8) shows twice as much. granted is 0 where the system does not tell.
func (r *Receiver) ReceiveBuffer() (asked, granted int) { return r.asked, r.granted }

// Counters returns what was received so far.
func (r *Receiver) Counters() ReceiveCounters { return r.counters.snapshot() }
