package hostile

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/rpcap"
)

const permit = "NullAuthPermit = YES\n"

func startAgent(t *testing.T, ini string, args ...string) *program {
	t.Helper()
	path := write(t, "rpcapd.ini", []byte(permit+ini))
	p := start(t, nil, 0, "rpcapd", append([]string{"-f", path, "--run-dir", filepath.Join(t.TempDir(), "run")}, args...)...)
	p.Says("agent started", 1)
	return p
}

// nonsense are requests that are refused, each with the code it is refused with.
func nonsense() (list []nonsensical) {
	jump := rpcap.Program{{Op: 0x15, Jt: 200, Jf: 200}, {Op: 6}}
	long := make(rpcap.Program, rpcap.MaxInstructions+1)
	return []nonsensical{
		{message(0, 99, []byte("xyz")), rpcap.CodeWrongMessage},
		{message(0, rpcap.TypePacket, make([]byte, 3000)), rpcap.CodeWrongMessage},
		{message(0, rpcap.TypeStatsReply, make([]byte, 16)), rpcap.CodeWrongMessage},
		{message(7, rpcap.TypeStatsRequest, nil), rpcap.CodeWrongVersion},
		{rpcap.AuthRequest{}.Append(nil), rpcap.CodeWrongMessage},
		{message(0, rpcap.TypeStartCaptureRequest, nil), rpcap.CodeStartCapture},
		{message(0, rpcap.TypeSamplingRequest, []byte{1}), rpcap.CodeSampling},
		{startRequest(9, rpcap.FlagDatagram, jump), rpcap.CodeStartCapture},
		{startRequest(9, rpcap.FlagDatagram, long), rpcap.CodeStartCapture},
		{startRequest(0, rpcap.FlagDatagram, rpcap.AcceptAll()), rpcap.CodeStartCapture},
		{rpcap.UpdateFilterRequest{Filter: long}.Append(nil), rpcap.CodeUpdateFilter},
		{rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest), rpcap.CodeEndCapture},
		{message(0, rpcap.TypeOpenRequest, []byte(strings.Repeat("x", 9000))), rpcap.CodeOpen},
		{rpcap.OpenRequest{Name: "eth99"}.Append(nil), rpcap.CodeOpen},
		{message(0, rpcap.TypeUpdateFilterRequest, make([]byte, rpcap.MaxRequestPayload)), rpcap.CodeUpdateFilter},
	}
}

type nonsensical struct {
	msg  []byte
	code rpcap.Code
}

// TestAgentRefusesNonsenseForEver: again and again everything that is refused costs
// neither memory nor more than a few lines of log. Sessions take turns, so that none spends
// more than the agent's budget for requests grants at once.
func TestAgentRefusesNonsenseForEver(t *testing.T) {
	const sessions = 40
	l := listen(t)
	p := startAgent(t, strings.Repeat(line(l, ""), sessions), "-r", captureFile(t, 3))
	var sensors []*scripted
	for range sessions {
		s := accept(t, l)
		s.authenticate()
		s.open("traffic.pcap")
		sensors = append(sensors, s)
	}
	requests := nonsense()
	turn := 0
	p.staysFlat(t, batch, func() {
		s := sensors[turn%sessions]
		turn++
		for range batch {
			for _, r := range requests {
				if h, text := s.ask(r.msg); h.Type != rpcap.TypeError || rpcap.Code(h.Value) != r.code || len(text) == 0 {
					t.Fatalf("%.20x is answered by %s %d (%s)", r.msg, h.Type, h.Value, text)
				}
			}
			s.gets(rpcap.TypeOpenReply, rpcap.OpenRequest{Name: "traffic.pcap"}.Append(nil))
		}
	})
	most := sessions*len(requests) + sessions - 1 // that a line is there twice is warned of too
	if n := p.lines("WARN", "ERROR"); n > most || n == 0 {
		t.Errorf("%d warnings for %d kinds of mistakes in %d sessions", n, len(requests), sessions)
	}
	p.stop(stopLimit)
}

// TestAgentStartsAndEndsCapturesForEver does so with a file.
func TestAgentStartsAndEndsCapturesForEver(t *testing.T) {
	l := listen(t)
	p := startAgent(t, line(l, ""), "-r", liveCapture(t, 3))
	s := accept(t, l)
	s.authenticate()
	s.open("traffic.pcap")
	data := openData(t)
	p.staysFlat(t, batch, func() {
		for range batch {
			s.capture(data)
		}
	})
	if n := p.lines("WARN", "ERROR"); n != 0 {
		t.Errorf("%d warnings", n)
	}
	p.stop(stopLimit)
}

// TestAgentEndsWhateverItsSensorsDo: with a sensor that floods it, one that never reads,
// one that sends half a message, one that is silent.
func TestAgentEndsWhateverItsSensorsDo(t *testing.T) {
	flooding, deaf, half, silent := listen(t), listen(t), listen(t), listen(t)
	p := startAgent(t, line(flooding, "")+line(deaf, "")+line(half, "")+line(silent, ""), "-r", captureFile(t, 3))
	flood := func(s *scripted) {
		s.authenticate()
		request := rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest)
		for {
			if _, err := s.conn.Write(request); err != nil {
				return
			}
		}
	}
	a, b, c, d := accept(t, flooding), accept(t, deaf), accept(t, half), accept(t, silent)
	a.authenticate()
	go io.Copy(io.Discard, a.conn)
	var wg sync.WaitGroup
	for _, s := range []*scripted{a, b} {
		wg.Go(func() {
			if s == b {
				flood(s)
				return
			}
			for request := rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest); ; {
				if _, err := s.conn.Write(request); err != nil {
					return
				}
			}
		})
	}
	c.conn.Write([]byte{0, 8, 0})
	_ = d
	time.Sleep(500 * time.Millisecond) // until the buffers between agent and sensor are full
	p.stop(stopLimit)
	for _, s := range []*scripted{a, b} {
		s.conn.(*net.TCPConn).SetLinger(0)
		s.conn.Close()
	}
	wg.Wait()
}
