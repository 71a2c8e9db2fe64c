package sensor

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"rpcapd/rpcap"
)

// testAgent is an agent of the wire protocol that a test scripts. Its replies are the obvious ones unless a handler
// replaces them.
type testAgent struct {
	t    *testing.T
	conn net.Conn
	addr netip.AddrPort // in a bubble
	done chan struct{}  // serve has returned

	mu       sync.Mutex
	handlers map[rpcap.Type]func(payload []byte) [][]byte // what to write; nil: nothing
	list     []rpcap.Interface
	stats    rpcap.StatsReply
	final    rpcap.StatsReply // after ENDCAP
	ended    bool
	stalled  bool // it reads and does not answer
	backlog  []func()
	requests []rpcap.Type
	errors   []rpcap.Error
	start    rpcap.StartCaptureRequest
	started  chan rpcap.StartCaptureRequest
}

func newTestAgent(t *testing.T, conn net.Conn) *testAgent {
	return &testAgent{
		t: t, conn: conn, done: make(chan struct{}),
		handlers: make(map[rpcap.Type]func([]byte) [][]byte),
		list:     []rpcap.Interface{testInterface("eth0", "10.10.1.21")},
		started:  make(chan rpcap.StartCaptureRequest, 16),
	}
}

// testInterface is up and running and has the given addresses.
func testInterface(name string, addrs ...string) rpcap.Interface {
	i := rpcap.Interface{Name: name, Flags: rpcap.InterfaceUp | rpcap.InterfaceRunning}
	for _, a := range addrs {
		ip := netip.MustParseAddr(a)
		block := rpcap.AddressBlock{}
		if ip.Is4() {
			block = rpcap.IPv4Block(ip)
		} else {
			block = rpcap.IPv6Block(ip, 23)
		}
		i.Addresses = append(i.Addresses, rpcap.Address{Addr: block})
	}
	return i
}

// on replaces the reply to a request.
func (a *testAgent) on(t rpcap.Type, f func(payload []byte) [][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers[t] = f
}

// serve answers until the connection ends.
func (a *testAgent) serve() {
	defer close(a.done)
	defer a.conn.Close()
	c := rpcap.NewConn(a.conn, rpcap.MaxRequestPayload)
	for {
		h, payload, err := c.ReadMessage(time.Time{})
		if err != nil {
			return
		}
		if a.postponed(h, payload) {
			continue
		}
		for _, msg := range a.answer(h, payload) {
			if _, err := a.conn.Write(msg); err != nil {
				return
			}
		}
	}
}

func (a *testAgent) answer(h rpcap.Header, payload []byte) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, h.Type)
	if h.Type == rpcap.TypeStartCaptureRequest {
		req, _, err := rpcap.ParseStartCaptureRequest(payload)
		if err != nil {
			a.t.Errorf("sensor sent a bad STARTCAP_REQ: %v", err)
			return nil
		}
		a.start, a.ended = req, false
		a.started <- req
	}
	if h.Type == rpcap.TypeEndCaptureRequest {
		a.ended = true
	}
	if f := a.handlers[h.Type]; f != nil {
		return f(payload)
	}
	switch h.Type {
	case rpcap.TypeAuthRequest, rpcap.TypeEndCaptureRequest, rpcap.TypeSamplingRequest, rpcap.TypeUpdateFilterRequest:
		return [][]byte{rpcap.AppendEmpty(nil, h.Type.Reply())}
	case rpcap.TypeFindAllRequest:
		return [][]byte{listReply(a.list...)}
	case rpcap.TypeOpenRequest:
		return [][]byte{rpcap.OpenReply{LinkType: 1}.Append(nil)}
	case rpcap.TypeStartCaptureRequest:
		return [][]byte{rpcap.StartCaptureReply{}.Append(nil)}
	case rpcap.TypeStatsRequest:
		if a.ended {
			return [][]byte{a.final.Append(nil)}
		}
		return [][]byte{a.stats.Append(nil)}
	case rpcap.TypeError:
		e, err := rpcap.ParseError(h, payload)
		if err != nil {
			a.t.Errorf("sensor sent a bad ERROR: %v", err)
			return nil
		}
		a.errors = append(a.errors, *e)
		return nil
	}
	a.t.Errorf("sensor sent %v", h.Type)
	return nil
}

func listReply(list ...rpcap.Interface) []byte {
	l := rpcap.NewInterfaceList(list...)
	return l.Append(nil)
}

func errorReply(code rpcap.Code, text string) []byte {
	return (&rpcap.Error{Code: code, Text: text}).Append(nil)
}

// asked counts the requests of a type so far.
func (a *testAgent) asked(t rpcap.Type) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.requests {
		if r == t {
			n++
		}
	}
	return n
}

// told returns the ERRORs the sensor has sent.
func (a *testAgent) told() []rpcap.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]rpcap.Error(nil), a.errors...)
}

func (a *testAgent) setStats(r, final rpcap.StatsReply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats, a.final = r, final
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func list(interfaces ...rpcap.Interface) []rpcap.Interface { return interfaces }
