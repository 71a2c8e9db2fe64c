package agent

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
)

// sinks are the sensor's ends of data connections, which take everything.
func sinks(t *testing.T) (udp, tcp uint16) {
	t.Helper()
	l := sensorPort(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	return openDataPort(t).port(), uint16(l.Addr().(*net.TCPAddr).Port)
}

// TestCapturesOfAFileLeaveNothing starts and ends a capture in each format, again and
// again on one connection. Each takes a thread, which ends with it.
func TestCapturesOfAFileLeaveNothing(t *testing.T) {
	udp, tcp := sinks(t)
	for _, c := range []struct {
		what  string
		port  uint16
		flags rpcap.StartCaptureFlags
		plain bool
	}{
		{"udpstr", udp, rpcap.FlagDatagram, false},
		{"plain over UDP", udp, rpcap.FlagDatagram, true},
		{"over TCP", tcp, rpcap.FlagServerOpen, false},
		{"over TCP to nobody", closedPort(t), rpcap.FlagServerOpen, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t, writeCaptureFile(t, 3), func(o *Options) { o.Config.Datagram = config.Datagram{Plain: c.plain} })
			r.x.agent.unmetered = true
			p, ended := r.connect()
			p.authenticate()
			p.open(r.file)
			flat{rounds: repetitions, warmUp: 50}.check(t, func(int) {
				p.send(startRequest(c.port, c.flags, rpcap.AcceptAll()))
				if h, _ := p.receive(); h.Type == rpcap.TypeStartCaptureReply {
					p.endCapture()
				}
			})
			p.conn.Close()
			<-ended
		})
	}
}

// TestResetsLeaveNothing has the sensor reset the connection while it captures.
func TestResetsLeaveNothing(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 3), nil)
	r.x.agent.unmetered = true
	udp, _ := sinks(t)
	l := sensorPort(t)
	flat{rounds: repetitions, warmUp: 50}.check(t, func(int) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p := &peer{t: t, conn: c, wire: rpcap.NewConn(c, rpcap.MaxReplyAccepted)}
		ended := r.serve(context.Background(), conn)
		p.authenticate()
		p.open(r.file)
		p.startCapture(udp, rpcap.FlagDatagram, rpcap.AcceptAll())
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		r.x.complain("session failed, dialing again", <-ended)
	})
	// A reset is met when reading, or when the forwarder has it first: never again with
	// another port.
	if texts, lines := r.logs.warned(); lines == 0 || lines > 2 {
		t.Errorf("%d lines in the log:\n%s", lines, strings.Join(texts, "\n"))
	}
}

// TestRootCapturesLeaveNothing starts and ends captures of a real interface. Several
// sessions do it at once: most of the time goes by until the kernel lets a socket go.
func TestRootCapturesLeaveNothing(t *testing.T) {
	inject := captureLink(t)
	udp, _ := sinks(t)
	const sessions = 20
	var peers []*peer
	var ends []<-chan error
	r := newRig(t, "", func(o *Options) { o.Config.RingBytes = 1 << 20 })
	r.x.agent.unmetered = true
	for range sessions {
		x := *r
		x.x = newSession(r.x.agent, wish{target: r.x.target}, nil)
		p, ended := x.connect()
		p.authenticate()
		p.open("cap0")
		peers, ends = append(peers, p), append(ends, ended)
	}
	frame := testFrame(1)
	flat{rounds: repetitions / sessions, each: sessions, warmUp: 5}.check(t, func(int) {
		var wg sync.WaitGroup
		for i, p := range peers {
			wg.Go(func() {
				p.send(startRequest(udp, rpcap.FlagDatagram|rpcap.StartCaptureFlags(i&1), rpcap.AcceptAll()))
				if h, b := p.receive(); h.Type != rpcap.TypeStartCaptureReply {
					t.Errorf("STARTCAP is answered by %s (%s)", h.Type, b)
					return
				}
				p.send(rpcap.UpdateFilterRequest{Filter: rpcap.AcceptAll()}.Append(nil))
				p.receive()
				p.send(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
				p.receive()
			})
		}
		inject(frame)
		wg.Wait()
	})
	for i, p := range peers {
		p.conn.Close()
		select {
		case <-ends[i]:
		case <-time.After(waitLimit):
			t.Fatal("a session did not end")
		}
	}
}
