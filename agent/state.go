package agent

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/capture"
	"rpcapd/config"
	"rpcapd/filter"
	"rpcapd/repeat"
	"rpcapd/rpcap"
)

// Supervisor owns the sessions of one agent.
type Supervisor struct {
	opts    Options
	log     *zap.Logger
	started time.Time

	// policy is the configuration in force. Sessions read it when they need it, so
	// that a reload of accounts and limits reaches those that stay.
	policy     atomic.Pointer[config.Agent]
	limits     limits
	exclusions *exclusions
	ifaces     *interfaces
	unmetered  bool // requests are not held back: for tests that repeat them
	// changes counts what belongs into the status files at once: another state of a
	// session, an error, another set of sessions.
	changes atomic.Uint64
	// statusNow and statusSoon have the status files looked after, at once or within statusPause.
	statusNow, statusSoon chan struct{}

	mu         sync.Mutex
	sessions   []*session
	selections []*selection       // the lines that mean several interfaces
	leaving    []*session         // of lines that mean several interfaces: no longer in sessions, and not ended yet
	shares     map[string]*shared // by sensor
	pace       *pace
	looking    bool // a timer is set that looks at the interfaces again
	refusals   repeat.Memory
	reload     ReloadStatus
	run        context.Context // set by Run, nil before
	finish     func()          // ends Run; set by it
	ended      bool            // Run waits for the sessions to end
	wg         sync.WaitGroup
}

// state is one state of a session: it does the work of the state and returns the
// next one, nil when the session is over.
type state func(context.Context) state

// session is one ActiveClient line (or one member of its fanout group): it waits
// for its interface, dials, serves, backs off, for ever. A line that means several interfaces has
// one for each, which ends when its interface goes.
type session struct {
	agent   *Supervisor
	target  config.Target
	member  int // 1… within a fanout group, 0 without
	group   *capture.Fanout
	log     *zap.Logger
	several bool    // its line means several interfaces
	shared  *shared // nil unless several
	leaving string  // why it ends; guarded by Supervisor.mu

	cancel context.CancelCauseFunc // set by Supervisor.start
	done   chan struct{}

	changed chan struct{} // an interface changed; one pending signal is enough
	resumed chan struct{} // a reload asks a stopped session to go on

	pause backoff.Backoff

	// What the states hand to each other; only the session goroutine touches it.
	preselected string
	conn        net.Conn
	lastGood    netip.Addr // of the sensor, connected to last
	near        near       // its near end, excluded from all captures
	reason      error
	requests    budget        // what requests have cost, but for
	captures    budget        // those that begin and end captures
	delay       time.Duration // overrides the back-off when not zero

	complaints *complaints // of all sessions that share, like chatter
	chatter    *chatter

	served atomic.Bool // its capture file has been sent (ReadOnce)

	mu         sync.Mutex
	status     SessionStatus
	live       *capturing  // the running capture, for its numbers
	hangUp     func(error) // ends the connection; nil when there is none
	connection uint64      // counts them
	followed   followed
	redial     redial
}

// capturing is one capture: its source, its data connection and the forwarder
// between them. The connection that started it commands it; exclusions may
// replace its filter at any time; the forwarder goroutine ends it.
type capturing struct {
	log       *zap.Logger
	agent     *Supervisor
	source    capture.Source
	out       output
	forwarder *forwarder

	mu         sync.Mutex // guards what follows
	program    rpcap.Program
	exclusion  filter.Exclusion
	userFilter bool
	link       LinkState   // of the interface
	events     int         // changes of it
	final      *Counters   // the last numbers; set when the forwarder has ended
	err        error       // why it died, set together with final
	odd        capture.Odd // of a capture file that has been read

	fileError error // how the capture file ended, if it did so badly; of the forwarder's goroutine

	// changed tells the session of an event, complain of an error; set before start.
	changed  func(*capturing, capture.Event)
	complain func(what string, err error)

	info CaptureStatus // what does not change while it runs
	done chan struct{} // closed when the forwarder has ended and the sensor has been told
}

// exclusions knows both ends of what the sessions of this agent send and receive, and
// keeps the filters of all running captures free of that traffic. A capture on the
// uplink would otherwise forward its own export, which makes more export.
//
// The far end is what was dialed: the addresses and ports of the sensors. The near end
// is what frames have in common when a NAT has put another far end in: the agent's own
// ports at its own addresses (near.go).
type exclusions struct {
	mu       sync.Mutex
	owners   map[*session]ownTraffic
	captures map[*capturing][]netip.Addr // with the addresses of their interfaces
	near     nearEnds
	sweeping bool // a timer is set that takes near ends away
	plain    bool // datagrams may be fragmented (plain PACKET over UDP)
}

// ownTraffic is what one session contributes.
type ownTraffic struct {
	addrs   []netip.Addr   // every address that the sensor's name has
	control uint16         // at all of them
	data    netip.AddrPort // where a capture is sent to; the zero value: none. The sensor chooses the port, so it holds for the address that it has been reached at and no other
}

// redial is what a session needs to dial anew when an interface comes up while the sensor
// holds it without a capture. The sensor would look again only after a minute.
type redial struct {
	pending bool
	last    time.Time // when an interface last was the reason
	request time.Time // of the sensor, the latest on this connection
}

// followed is the interface that a session stands on: that of its line, or the one that
// the sensor has opened.
type followed struct {
	name  string
	index int // 0: unknown
}

// complaints decides which errors of one session are logged: each of them once.
type complaints struct{ repeat.Memory }
