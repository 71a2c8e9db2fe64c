package receive

import (
	"net/netip"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/sink"
)

// DataPorts is the range of UDP ports that agents send to (and of TCP ports, for rules with TCP).
type DataPorts struct {
	First  uint16 // 0 lets the system choose each port
	Count  int    // 1 to MaxDataPorts; 0 is DefaultDataPorts
	GROOff bool   // do not ask the kernel for receive offload
}

// with lists the range and a port that may be outside of it. An agent is told to leave out all of them: what others send
// to this sensor would otherwise be forwarded by agents that see each other, without end.
func (d DataPorts) with(port uint16) []uint16 {
	all := []uint16{port}
	for i := range d.Count {
		if d.First != 0 {
			all = append(all, d.First+uint16(i))
		}
	}
	return all
}

// Limits bounds the reordering of a stream.
type Limits struct {
	Window int           // datagrams held back for it
	Hold   time.Duration // and for how long
}

// Config is what newReceiver needs.
type Config struct {
	Listen netip.Addr // address of the data ports; the zero value is every address
	Data   DataPorts
	Limits Limits
	Dedup  time.Duration                        // window of duplicates; 0: none are dropped
	Hub    *sink.Hub                            // gives each stream its feeds
	Open   func(netip.AddrPort) (Socket, error) // opens a UDP port; nil: a socket of the system
	Log    *zap.Logger
}
