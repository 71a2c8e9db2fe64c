package sensor

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/control"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/tcpdump"
)

const (
	// DefaultPort is the TCP port that agents dial unless told otherwise, and the first UDP port of the range.
	DefaultPort = rule.DefaultPort
	// DefaultDataPorts is the number of UDP ports in the range.
	DefaultDataPorts = 32
	// MaxDataPorts bounds the range; each open port costs a socket, a goroutine and a receive batch.
	MaxDataPorts = 64
)

// Limits bounds what agents can make the sensor hold. A zero field takes its default.
type Limits struct {
	Sessions           int           // sessions at once; default 4,096
	SessionsPerAddress int           // of one agent address; default 256, room for fanout and for agents behind one NAT
	Held               int           // unwanted connections held open in silence; default 1,024
	HeldPerAddress     int           // of one address; default 64, room for every line of its configuration
	Window             int           // datagrams held back for reordering, per stream; default 64
	Hold               time.Duration // and for how long; default 20 ms
}

// Options configures New.
type Options struct {
	Rules   []rule.Rule // in file order: the first that matches is taken
	Listen  netip.Addr  // address of the listeners and the data ports; the zero value is every address
	Data    receive.DataPorts
	Sinks   []sink.Sink           // each gets all frames; one that fails is shown as failed, and the sensor goes on
	Purpose sink.Sink             // one more sink, without which the sensor has no purpose: its end ends Run
	Dedup   time.Duration         // a frame that another agent's stream brought within this time is dropped; 0: never
	Aliases map[netip.Addr]string // names shown instead of agents' addresses
	Limits  Limits
	Log     *zap.Logger // nil is silent

	// Replaced by tests.
	openPort     func(netip.AddrPort) (receive.Socket, error) // nil: the data ports are the machine's
	openListener func(netip.AddrPort) (net.Listener, error)   // nil: and so are the listeners
	compiler     rule.Compiler                                // nil: tcpdump
}

func (l *Limits) setDefaults() {
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	set(&l.Sessions, 4096)
	set(&l.SessionsPerAddress, 256)
	set(&l.Held, 1024)
	set(&l.HeldPerAddress, 64)
	set(&l.Window, 64)
	if l.Hold <= 0 {
		l.Hold = 20 * time.Millisecond
	}
}

// check fills in defaults and refuses what cannot work.
func (o *Options) check() error {
	if err := rule.Check(o.Rules); err != nil {
		return err
	}
	if o.Data.Count == 0 {
		o.Data.Count = DefaultDataPorts
	}
	if o.Data.Count < 0 || o.Data.Count > MaxDataPorts {
		return fmt.Errorf("check data ports: count %d: not within 1 to %d", o.Data.Count, MaxDataPorts)
	}
	if o.Data.First != 0 && int(o.Data.First)+o.Data.Count-1 > 65535 {
		return fmt.Errorf("check data ports: %d ports from %d go beyond 65535", o.Data.Count, o.Data.First)
	}
	o.Limits.setDefaults()
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.compiler == nil {
		o.compiler = tcpdump.NewCompiler()
	}
	return nil
}

// ofSessions are the limits of the control side.
func (l Limits) ofSessions() control.Limits {
	return control.Limits{
		Sessions: l.Sessions, SessionsPerAddress: l.SessionsPerAddress, Held: l.Held, HeldPerAddress: l.HeldPerAddress,
	}
}

// ofStreams are the limits of the receiving side.
func (l Limits) ofStreams() receive.Limits { return receive.Limits{Window: l.Window, Hold: l.Hold} }
