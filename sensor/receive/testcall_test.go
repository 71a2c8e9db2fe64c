package receive

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"rpcapd/udpstr"
)

// echoSocket keeps what is sent back.
type echoSocket struct {
	*fakeSocket
	sent []fakeDatagram
	from netip.Addr
}

func (e *echoSocket) Answer(b []byte, from netip.Addr, to netip.AddrPort) error {
	e.sent = append(e.sent, fakeDatagram{to, append([]byte(nil), b...)})
	e.from = from
	return nil
}

func testReceiver(t *testing.T, ports int) (*Receiver, map[uint16]*echoSocket) {
	t.Helper()
	socks := make(map[uint16]*echoSocket)
	p := testPool(t, ports, func(a netip.AddrPort) (Socket, error) {
		if a.Port() == 2005 {
			return nil, errors.New("taken")
		}
		s := &echoSocket{fakeSocket: newFakeSocket(a.Port())}
		socks[a.Port()] = s
		return s, nil
	})
	return &Receiver{ports: p}, socks
}

// TestEcho: a probe of a test call comes back with the same length, from the address that was dialled; a probe with another
// token, from another address, cut, or after the end does not, and no probe counts as foreign.
func TestEcho(t *testing.T) {
	r, socks := testReceiver(t, 3)
	agent, local := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")
	c, err := r.BeginTestCall(agent, local)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Ports) != 2 || c.Ports[0] != 2003 || c.Ports[1] != 2004 || len(c.Closed) != 1 || c.Closed[0] != 2005 {
		t.Fatalf("%v open, %v closed", c.Ports, c.Closed)
	}
	port, sock := r.ports.slots[0].port, socks[2003]
	s, _ := testStream("10.0.0.2") // an agent of the same address waits for its first datagram
	port.add(s)
	probe := udpstr.Probe{Size: 1472, Number: 5, Token: c.Token}
	send := func(src string, p udpstr.Probe) {
		port.batch(feedEcho(port, src, p.Append(nil)), time.Now())
	}
	send("10.0.0.2:6000", probe)
	if len(sock.sent) != 1 || len(sock.sent[0].b) != 1472 || sock.sent[0].src.String() != "10.0.0.2:6000" || sock.from != local {
		t.Fatalf("%+v", sock.sent)
	}
	if p, ok := udpstr.ParseProbe(sock.sent[0].b); !ok || !p.Echo || p.Number != 5 || p.Token != c.Token {
		t.Errorf("%+v, %v", p, ok)
	}
	send("10.0.0.3:6000", probe)
	send("10.0.0.2:6000", udpstr.Probe{Size: 64, Token: c.Token + 1})
	port.batch(feedEcho(port, "10.0.0.2:6000", probe.Append(nil)[:1000]), time.Now())
	send("10.0.0.2:6000", udpstr.Probe{Echo: true, Size: 64, Token: c.Token}) // or two sensors could keep one on its way for ever
	c.End()
	c.End()
	send("10.0.0.2:6000", probe)
	st := port.status()
	if len(sock.sent) != 1 || st.ProbesEchoed != 1 || st.ProbesRefused != 3 || st.Foreign != 2 || len(r.ports.guests) != 0 {
		t.Errorf("%d sent back, %+v, guests %v", len(sock.sent), st, r.ports.guests)
	}
	if port.pending[s.agent] != s {
		t.Error("a probe has begun a stream")
	}
}

func feedEcho(p *dataPort, src string, b []byte) int {
	p.sock.(*echoSocket).last = []fakeDatagram{{netip.MustParseAddrPort(src), b}}
	return 1
}

// TestEchoLimits: more than a burst is not sent back, and there are only so many test calls.
func TestEchoLimits(t *testing.T) {
	r, socks := testReceiver(t, 1)
	agent := netip.MustParseAddr("10.0.0.2")
	c, err := r.BeginTestCall(agent, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	port, now := r.ports.slots[0].port, time.Now()
	b := udpstr.Probe{Size: 64, Token: c.Token}.Append(nil)
	for range 2 * echoBurst {
		b[1] = udpstr.ProbeType
		port.batch(feedEcho(port, "10.0.0.2:6000", b), now)
	}
	if n := len(socks[2003].sent); n < echoBurst || n > echoBurst+10 {
		t.Errorf("%d sent back at once", n)
	}
	for i := range 2 * echoTotal {
		b[1] = udpstr.ProbeType
		port.batch(feedEcho(port, "10.0.0.2:6000", b), now.Add(time.Duration(i+1)*time.Second))
	}
	if n := len(socks[2003].sent); n != echoTotal {
		t.Errorf("%d sent back in all", n)
	}
	for range callsPerAddress - 1 {
		if _, err := r.BeginTestCall(agent, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.BeginTestCall(agent, netip.Addr{}); !errors.Is(err, ErrTestCalls) {
		t.Errorf("one too many: %v", err)
	}
	c.End()
	if _, err := r.BeginTestCall(agent, netip.Addr{}); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
}
