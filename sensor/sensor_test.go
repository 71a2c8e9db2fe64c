package sensor

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/sensor/address"
	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
	"rpcapd/test/wait"
	"rpcapd/udpstr"
)

// dialAgent connects a scripted agent over loopback.
func dialAgent(t *testing.T, s *runningSensor, prepare ...func(*testAgent)) *testAgent {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a := newTestAgent(t, conn)
	for _, f := range prepare { // before the sensor asks for anything
		f(a)
	}
	go a.serve()
	t.Cleanup(func() { conn.Close(); <-a.done })
	return a
}

// export opens the agent's data connection to where STARTCAP said.
func (a *testAgent) export(network string) net.Conn {
	a.t.Helper()
	select {
	case req := <-a.started:
		conn, err := net.Dial(network, fmt.Sprintf("127.0.0.1:%d", req.DataPort))
		if err != nil {
			a.t.Fatal(err)
		}
		a.t.Cleanup(func() { conn.Close() })
		return conn
	case <-time.After(30 * time.Second):
		a.t.Fatal("no STARTCAP")
		return nil
	}
}

// TestEndToEnd: agents with udpstr and plain datagrams at once over real sockets; each frame comes out once, with its
// source; the summary has the numbers of both ends.
func TestEndToEnd(t *testing.T) {
	out := &syncBuffer{}
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}, Sinks: []sink.Sink{newCaptureFile("buffer", out)}})
	frames := testFrames(300, 100)
	last := rpcap.StatsReply{IfRecv: 302, KernelDrop: 2, Captured: 300}

	packedAgent := dialAgent(t, s)
	packedAgent.setStats(last, last)
	data := packedAgent.export("udp4")
	for _, d := range packed(t, frames, 1472) {
		if _, err := data.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	plainAgent := dialAgent(t, s)
	plainAgent.setStats(last, last)
	data = plainAgent.export("udp4")
	for i, f := range frames {
		if i == 100 {
			continue // lost
		}
		if _, err := data.Write(plainMessage(f, uint32(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	wait.Until(t, "all frames are in", func() bool { return s.frames() == 599 })
	wait.Until(t, "both run", func() bool {
		p := s.Peers()
		return p[0].State == status.StateRunning && p[1].State == status.StateRunning
	})
	s.stop(t)

	count := make(map[string]int)
	for _, f := range readPcapng(t, out.Bytes()) {
		i := int(f.time.Unix() - 1_700_000_000)
		if !bytes.Equal(f.data, frames[i].Data) {
			t.Fatalf("frame %d of %s differs", i, f.name)
		}
		count[f.name]++
	}
	if count["127.0.0.1/eth0"] != 300 || count["127.0.0.1#2/eth0"] != 299 {
		t.Errorf("frames %v", count)
	}
	var text bytes.Buffer
	if err := s.WriteSummary(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ifrecv 302, krnldrop 2, ifdrop 0, captured 300", "frames 300, lost 0", "missing 0 frames (tail known)",
		"frames 299, lost 1", "missing 1 frames (tail known)", "udpstr", "packet", "written 300, dropped 0",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("summary lacks %q:\n%s", want, text.String())
		}
	}
}

// TestTCPData: PACKET messages back to back, cut anywhere; a stranger's connection is closed without harm.
func TestTCPData(t *testing.T) {
	out := &syncBuffer{}
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}, Sinks: []sink.Sink{newCaptureFile("buffer", out)}})
	a := dialAgent(t, s)
	a.setStats(rpcap.StatsReply{Captured: 51}, rpcap.StatsReply{Captured: 51})
	data := a.export("tcp4")
	var stream []byte
	for i, f := range testFrames(50, 500) {
		stream = append(stream, plainMessage(f, uint32(i+1))...)
	}
	big := udpstr.Frame{Data: make([]byte, 70_000), Len: 70_000} // plen is modulo 65536 at C agents
	msg := plainMessage(big, 51)
	msg[4], msg[5] = 0, 0
	stream = append(stream, msg...)
	for len(stream) > 0 {
		n := min(len(stream), 333)
		if _, err := data.Write(stream[:n]); err != nil {
			t.Fatal(err)
		}
		stream = stream[n:]
	}
	wait.Until(t, "all frames are in", func() bool { return s.frames() == 51 })
	s.stop(t)
	if n := len(readPcapng(t, out.Bytes())); n != 51 {
		t.Errorf("%d frames in the file", n)
	}
}

// TestTCPDataBad: what cannot be read ends the capture with the reason, and the session is held.
func TestTCPDataBad(t *testing.T) {
	good := plainMessage(testFrames(1, 60)[0], 1)
	change := func(i int, b ...byte) []byte {
		m := bytes.Clone(good)
		copy(m[i:], b)
		return m
	}
	for reason, msg := range map[string][]byte{
		"version 1":         change(0, 1),
		"type 9":            change(1, 9),
		"above the snap":    change(16, 0xff, 0xff, 0xff, 0xff),
		"does not agree":    change(4, 0, 0, 1, 0),
		"unexpected EOF":    good[:50],
		"read message: EOF": good,
	} {
		t.Run(reason, func(t *testing.T) {
			s := startSensor(t, Options{Rules: []rule.Rule{{Name: "tcp", TCP: true}}})
			data := dialAgent(t, s).export("tcp4")
			if _, err := data.Write(msg); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(reason, "EOF") {
				data.Close()
			}
			wait.Until(t, "the session is held", func() bool {
				p := s.Peers()[0]
				return p.State == status.StateHeld && strings.Contains(p.Reason, reason)
			})
			s.stop(t)
		})
	}
}

// TestPurposeFailureStopsTheSensor: a lost reader is a normal end, a full disk is not.
func TestPurposeFailureStopsTheSensor(t *testing.T) {
	for _, cause := range []error{syscall.EPIPE, syscall.ENOSPC} {
		s := startSensor(t, Options{
			Rules: []rule.Rule{{Name: "all"}}, Purpose: newCaptureFile("pipe", failingWriter{cause}),
		})
		select {
		case err := <-s.result:
			s.result = nil
			if errors.Is(cause, syscall.EPIPE) != (err == nil) {
				t.Errorf("%v: %v", cause, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("sensor goes on")
		}
	}
}

func TestPortInUse(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}})
	second, err := New(Options{Rules: []rule.Rule{{Name: "all", Port: s.addr().Port()}}, Listen: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !address.InUse(err) || !strings.Contains(err.Error(), "another program has port") {
		t.Errorf("second sensor on the same port: %v", err)
	}
	s.stop(t)
}

// TestEveryAddress: without an address both families are served.
func TestEveryAddress(t *testing.T) {
	s := startSensor(t, Options{Rules: []rule.Rule{{Name: "all"}}, Listen: netip.IPv6Unspecified()})
	for i, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(s.addr().Port())))
		if err != nil {
			if host == "::1" {
				t.Skipf("no IPv6 here: %v", err)
			}
			t.Fatal(err)
		}
		a := newTestAgent(t, conn)
		go a.serve()
		defer func() { conn.Close(); <-a.done }()
		req := <-a.started
		data, err := net.Dial("udp", net.JoinHostPort(host, fmt.Sprint(req.DataPort)))
		if err != nil {
			t.Fatal(err)
		}
		defer data.Close()
		for _, d := range packed(t, testFrames(10, 60), 512) {
			if _, err := data.Write(d); err != nil {
				t.Fatal(err)
			}
		}
		wait.Until(t, host+"'s frames are in", func() bool { return s.frames() == uint64(10*(i+1)) })
	}
	s.stop(t)
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"no rule":         {},
		"pattern":         {Rules: []rule.Rule{{Interfaces: []string{"[a"}}}},
		"snap length":     {Rules: []rule.Rule{{Snaplen: 1 << 20}}},
		"count 65":        {Rules: []rule.Rule{{}}, Data: receive.DataPorts{Count: 65}},
		"go beyond 65535": {Rules: []rule.Rule{{}}, Data: receive.DataPorts{First: 65530, Count: 10}},
		"longer than":     {Rules: []rule.Rule{{Password: strings.Repeat("x", 65536)}}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
