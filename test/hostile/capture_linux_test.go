package hostile

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

// TestRootAgentStartsAndEndsCapturesForEver does so on an interface, with a ring, a
// socket and a thread for each. Some sessions do it at once: most of the time goes by until
// the kernel lets a socket go. They take turns, so that none spends more than the agent's
// budget for requests grants at once.
func TestRootAgentStartsAndEndsCapturesForEver(t *testing.T) {
	lab := netlab.New(t)
	host := lab.Namespace("host")
	lab.Veth(host, "eth0", lab.Namespace("other"), "eth0")
	var l *net.TCPListener
	var data int
	host.Must(func() error {
		l, data = listen(t), openData(t)
		return nil
	})
	const sessions, atOnce = 25, 5
	path := write(t, "rpcapd.ini", []byte(permit+strings.Repeat(line(l, ", ifname=eth0"), sessions)))
	var p *program
	host.Must(func() error { // a process begins where its thread is
		p = start(t, nil, 0, "rpcapd", "-f", path, "-z", "256K", "--run-dir", t.TempDir())
		p.Says("agent started", 1)
		return nil
	})
	var sensors []*scripted
	for range sessions {
		s := accept(t, l)
		s.authenticate()
		s.open("eth0")
		sensors = append(sensors, s)
	}
	p.staysFlat(t, atOnce, func() {
		var wg sync.WaitGroup
		for _, s := range sensors[:atOnce] {
			wg.Go(func() { s.capture(data) })
		}
		wg.Wait()
		sensors = append(sensors[atOnce:], sensors[:atOnce]...)
	})
	if n := p.lines("WARN", "ERROR"); n > sessions {
		t.Errorf("%d warnings", n)
	}
	p.stop(stopLimit)
}

// TestAgentSaysOnceThatASensorResets: it comes back, each time after a longer pause.
func TestAgentSaysOnceThatASensorResets(t *testing.T) {
	l := listen(t)
	p := startAgent(t, line(l, ""), "-r", captureFile(t, 3))
	began := time.Now()
	for range 2 {
		s := accept(t, l)
		s.authenticate()
		s.conn.(*net.TCPConn).SetLinger(0)
		s.conn.Close()
	}
	accept(t, l)
	if d := time.Since(began); d < 1500*time.Millisecond {
		t.Errorf("three connections in %v: the pauses are to be at least half of 1 and 2 s", d)
	}
	if n := p.lines("WARN", "ERROR"); n != 1 {
		t.Errorf("%d warnings", n)
	}
	p.stop(stopLimit)
}
