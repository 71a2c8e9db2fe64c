package agent

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rpcapd/rpcap"
)

const anyReason = "any"

// hostility is one way for a sensor to misbehave on a connection.
type hostility struct {
	what string
	play func(p *peer, file string, i int) // i: how often it was played before
	// ends is in the reason for which the agent leaves the connection; empty: it stays,
	// still answers, and the sensor hangs up.
	ends string
	// slow ones last until the agent gives up, half a minute.
	slow bool
	// warnings is how many lines above Info all repetitions together may take.
	warnings int
}

var wrongJump = rpcap.Program{{Op: 0x15, Jt: 200, Jf: 200}, {Op: 6}}

func huge(typ rpcap.Type) []byte {
	return rpcap.Header{Type: typ, PayloadLen: 0xffffffff}.Append(nil)
}

var hostilities = []hostility{
	{what: "hangs up at once", play: func(p *peer, _ string, _ int) { p.conn.Close() }, ends: "closed by the sensor", warnings: 1},
	{what: "garbage", play: garbage, ends: anyReason, warnings: complaintsMax + 1},
	{what: "the text of another protocol", play: func(p *peer, _ string, _ int) {
		p.conn.Write([]byte("GET / HTTP/1.1\r\nHost: sensor\r\n\r\n"))
		p.wantError(rpcap.CodeWrongMessage)
		p.wantClosed()
	}, ends: "payload too long", warnings: 2},
	{what: "a length of 4 GiB before AUTH", play: func(p *peer, _ string, _ int) {
		p.conn.Write(huge(rpcap.TypeAuthRequest))
		p.wantError(rpcap.CodeWrongMessage)
		p.wantClosed()
	}, ends: "payload too long", warnings: 2},
	{what: "a length of 4 GiB while capturing", play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.open(file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		p.conn.Write(huge(rpcap.TypeUpdateFilterRequest))
		p.wantError(rpcap.CodeWrongMessage)
		p.wantClosed()
	}, ends: "payload too long", warnings: 2},
	{what: "the longest payload, of zeros", play: func(p *peer, _ string, _ int) {
		p.authenticate()
		for _, typ := range []rpcap.Type{rpcap.TypeStartCaptureRequest, rpcap.TypeUpdateFilterRequest, rpcap.TypeOpenRequest, 200} {
			p.send(raw(0, typ, make([]byte, rpcap.MaxRequestPayload)))
			p.want(rpcap.TypeError)
		}
	}, warnings: 5},
	{what: "requests before AUTH", play: func(p *peer, _ string, _ int) {
		for typ := rpcap.TypeFindAllRequest; typ <= rpcap.TypeSamplingRequest; typ++ {
			if typ == rpcap.TypeClose || typ == rpcap.TypeAuthRequest {
				continue
			}
			p.send(raw(0, typ, make([]byte, 20)))
			p.wantError(rpcap.CodeWrongMessage)
		}
	}, warnings: 9},
	{what: "requests in the wrong order", play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.send(startRequest(9999, rpcap.FlagDatagram, rpcap.AcceptAll()))
		p.wantError(rpcap.CodeStartCapture)
		p.send(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
		p.wantError(rpcap.CodeEndCapture)
		p.send(rpcap.UpdateFilterRequest{Filter: rpcap.AcceptAll()}.Append(nil))
		p.wantError(rpcap.CodeUpdateFilter)
		p.send(rpcap.AuthRequest{}.Append(nil))
		p.wantError(rpcap.CodeWrongMessage)
		p.open(file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		p.send(startRequest(9999, rpcap.FlagDatagram, rpcap.AcceptAll()))
		p.wantError(rpcap.CodeStartCapture)
	}, warnings: 6},
	{what: "bad filters", play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.open(file)
		bad := []rpcap.Program{wrongJump, make(rpcap.Program, rpcap.MaxInstructions+1), nil, {{Op: 0xffff}}, {{Op: 0x34}, {Op: 6}}}
		for _, f := range bad {
			p.send(startRequest(9999, rpcap.FlagDatagram, f))
			p.wantError(rpcap.CodeStartCapture)
		}
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		for _, f := range bad {
			p.send(rpcap.UpdateFilterRequest{Filter: f}.Append(nil))
			p.wantError(rpcap.CodeUpdateFilter)
		}
	}, warnings: 11},
	{what: "unknown interfaces and port 0", play: func(p *peer, file string, _ int) {
		p.authenticate()
		for _, name := range []string{"", "eth99", "../../etc/passwd", "\x1b[2J\nroot", strings.Repeat("x", 60000)} {
			p.send(raw(0, rpcap.TypeOpenRequest, []byte(name)))
			p.wantError(rpcap.CodeOpen)
		}
		p.open(file)
		p.send(startRequest(0, rpcap.FlagDatagram, rpcap.AcceptAll()))
		p.wantError(rpcap.CodeStartCapture)
		p.send(rpcap.SamplingRequest{Method: 77, Value: 1}.Append(nil))
		p.wantError(rpcap.CodeSampling)
	}, warnings: 8},
	{what: "another unknown interface each time", play: func(p *peer, _ string, i int) {
		p.authenticate()
		p.send(rpcap.OpenRequest{Name: "eth" + strings.Repeat("9", i%200+1)}.Append(nil))
		p.wantError(rpcap.CodeOpen)
	}, warnings: complaintsMax + 1},
	{what: "wrong ways to authenticate", play: func(p *peer, _ string, _ int) {
		p.send(rpcap.AuthRequest{Type: rpcap.AuthPassword, User: "root", Password: "secret"}.Append(nil))
		p.wantError(rpcap.CodeAuth)
		p.send(rpcap.AuthRequest{Type: 9}.Append(nil))
		p.wantError(rpcap.CodeAuth)
	}, warnings: 3},
	{what: "errors without end", play: func(p *peer, _ string, i int) {
		p.authenticate()
		for k := range 50 {
			p.send(raw(0, rpcap.TypeError, bytes.Repeat([]byte{byte(i), byte(k)}, k)))
		}
		p.stats()
	}, warnings: complaintsMax + 1},
	{what: "stalls inside a header", slow: true, play: func(p *peer, _ string, _ int) { stall(p, []byte{0, 8, 0}) }, ends: "i/o timeout", warnings: 1},
	{what: "stalls inside a payload", slow: true, play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.open(file)
		stall(p, startRequest(9999, rpcap.FlagDatagram, rpcap.AcceptAll())[:20])
	}, ends: "i/o timeout", warnings: 1},
	{what: "a byte each second", slow: true, play: func(p *peer, _ string, _ int) {
		began := time.Now()
		msg := raw(0, rpcap.TypeAuthRequest, make([]byte, 1000))
		for i := range msg {
			if _, err := p.conn.Write(msg[i : i+1]); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		wantWithin(p.t, time.Since(began), messageTimeout)
	}, ends: "i/o timeout", warnings: 1},
	{what: "never reads", slow: true, play: func(p *peer, _ string, _ int) {
		p.send(rpcap.AuthRequest{}.Append(nil))
		began := time.Now()
		p.conn.SetWriteDeadline(time.Now().Add(10 * writeTimeout))
		for {
			if _, err := p.conn.Write(rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest)); err != nil {
				break
			}
		}
		wantWithin(p.t, time.Since(began), writeTimeout)
	}, ends: "answer the sensor", warnings: 1},
	{what: "hangs up inside a message while capturing", play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.open(file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		p.conn.Write(startRequest(9999, 0, rpcap.AcceptAll())[:11])
		p.conn.Close()
	}, ends: io.ErrUnexpectedEOF.Error(), warnings: 1},
	{what: "CLOSE while capturing", play: func(p *peer, file string, _ int) {
		p.authenticate()
		p.open(file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		p.send(rpcap.AppendEmpty(nil, rpcap.TypeClose))
		p.wantClosed()
	}, ends: errClosedBySensor.Error(), warnings: 1},
}

// garbage is 4 KiB of anything, at times with the version and types that are known.
func garbage(p *peer, _ string, i int) {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	b := make([]byte, 4096)
	for k := range b {
		b[k] = byte(rng.Uint32())
	}
	if i%2 == 0 {
		copy(b, rpcap.AuthRequest{}.Append(nil))
		for k := 16; k+8 < len(b); k += 40 {
			binary.BigEndian.PutUint64(b[k:], uint64(rng.IntN(12))<<48|32)
		}
	}
	go func() {
		p.conn.Write(b)
		p.conn.Write(huge(rpcap.TypeOpenRequest)) // an end that every garbage comes to
		p.conn.Close()
	}()
	io.Copy(io.Discard, p.conn)
}

// stall sends the beginning of a message and waits for the agent to give up.
func stall(p *peer, beginning []byte) {
	began := time.Now()
	p.conn.Write(beginning)
	p.conn.SetReadDeadline(time.Now().Add(10 * messageTimeout))
	if _, err := p.conn.Read(make([]byte, 1)); err != io.EOF {
		p.t.Errorf("got %v, want the connection closed", err)
	}
	wantWithin(p.t, time.Since(began), messageTimeout)
}

func wantWithin(t *testing.T, d, limit time.Duration) {
	t.Helper()
	if d < limit || d > limit+20*time.Second {
		t.Errorf("the agent gave up after %v, want %v", d, limit)
	}
}

// play has the sensor misbehave once and checks how the connection ended.
func (h *hostility) once(r *rig, i int) {
	r.t.Helper()
	p, ended := r.connect()
	h.play(p, r.file, i)
	if h.ends == "" {
		p.send(raw(0, 99, nil)) // still in step
		p.want(rpcap.TypeError)
		p.conn.Close()
	}
	err := <-ended
	p.conn.Close()
	if h.ends == "" && !strings.HasPrefix(err.Error(), "connection closed by the sensor") || h.ends != anyReason && !strings.Contains(err.Error(), h.ends) {
		r.t.Fatalf("ended with %q, want %q", err, h.ends)
	}
	r.x.complain("session failed, dialing again", err)
}
