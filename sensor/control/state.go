package control

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/oncelog"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// Server accepts agents and has a session with each of them.
type Server struct {
	addr       netip.Addr
	open       func(netip.AddrPort) (net.Listener, error)
	begin      func(sink.Source, bool, *zap.Logger) (Capture, bool, error)
	testCall   func(agent, local netip.Addr) (rpcap.ProbeOffer, func(), error)
	log        *zap.Logger
	compiler   rule.Compiler
	names      *nameTable
	held       *heldConns
	history    *status.History
	sessionLog *status.SessionLog
	budget     *messageBudget
	repeats    *oncelog.Log   // of what agents that come again and again make the sensor say
	ready      chan struct{}  // closed when the first listeners are served
	wg         sync.WaitGroup // listeners and sessions

	telling sync.Mutex // held by Peers, and while a capture moves from the running ones to the ended ones

	mu         sync.Mutex // guards what follows; see doc.go
	rules      *rule.Set
	listeners  map[uint16]*listener // by the port that the rules name; nil before Listen
	serve      func(*listener)      // nil but while Serve runs
	sessions   map[*session]struct{}
	perAddress map[netip.Addr]int
	counters   status.Counters
	stopping   bool
	limits     Limits
}

// state is one state of a session: it does what is to be done in it and returns the next one, nil at the end. The error
// is the reason for the end.
type state func(context.Context) (state, error)

// session is one control connection. All fields but those under mu belong to its goroutine.
type session struct {
	server  *Server
	log     *zap.Logger
	ctl     *connection
	peer    netip.AddrPort // of the agent
	local   netip.AddrPort // what the agent dialled
	port    uint16         // of the listener, as the rules name it
	rules   []*rule.Rule   // those that the agent may use, all with the same credentials
	probes  chan chan struct{}
	reloads chan struct{} // capacity 1: there are new rules
	closed  chan struct{} // closed when the session is over, before its last datagrams are in

	answered  atomic.Bool // the agent has answered something
	displaced bool        // it had to make room for another; guarded by Server.mu

	since         time.Time
	lastReply     time.Time           // to STATS
	heldFor       error               // why it is held; logged already
	listed        rpcap.InterfaceList // the agent's last list, empty if it is not known or too long
	authenticated bool
	chosen        rule.Choice
	linkType      uint32
	capture       Capture // nil but between STARTCAP and the end of it
	captured      bool    // there has been a capture
	idle          int     // STATS running with the same ifrecv, and that
	idleAt        uint32
	down          error  // the interface is, as others have been told
	lateWanted    bool   // wait returns at the answer to a request that was given up
	singly        bool   // the agent is asked to send no super-packets
	connected     string // the name under which sessionLog has counted the session
	host          string // its name for the chosen interface
	wantedName    string // what the agent wants to be called; not fit to be shown
	freeName      func()

	mu     sync.Mutex  // a leaf
	status status.Peer // guarded by mu; counters are filled in by snapshot
	test   bool        // guarded by mu; a test call, which is no peer
	live   Capture     // guarded by mu; the capture whose counters snapshot reads
}

// listener accepts agents on one port and hands them to the rules of that port.
type listener struct {
	server *Server
	tcp    net.Listener
	port   uint16 // as the rules name it; 0 if the system has chosen
}

// Capture is the data side of what a session has between STARTCAP and its end; *receive.Capture is one. Its methods are the
// session's goroutine's, but for Fill.
type Capture interface {
	Source() sink.Source // what the sinks know of the stream
	Shown() string       // its name, fit for a log
	Port() uint16        // that STARTCAP names
	OwnPorts() []uint16  // whose traffic the agent must not capture

	Announced(port uint16, translated bool)              // the port that STARTCAP's reply names, 0 if none
	Asked()                                              // before STATS are sent
	Answered(reply rpcap.StatsReply, took time.Duration) // the answer to STATS
	Final(reply rpcap.StatsReply) bool                   // that after ENDCAP; false if it is not valid
	LastReport() (reply rpcap.StatsReply, ok bool)       // the last one that was taken
	Refilter(filter string)                              // the agent has another filter from now on
	End(tail status.Tail, captured uint32)               // takes what is on its way, and ends the stream
	Fill(*status.Peer)                                   // adds the counters

	StatsWanted() <-chan struct{}               // receives when STATS will tell where the stream comes from
	Contested() (every time.Duration, yes bool) // STATS are wanted at this distance
	Starved() bool                              // hardly anything of what the agent sends arrives
	Connected() bool                            // a data connection (TCP) is there
	Ended() <-chan struct{}                     // closed when the data connection has ended; nil for UDP
	Err() error                                 // why it has
}
