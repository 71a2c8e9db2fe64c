package agent

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rpcapd/rpcap"
	"rpcapd/test/ports"
)

// raw encodes any message.
func raw(version uint8, typ rpcap.Type, payload []byte) []byte {
	return append(rpcap.Header{Version: version, Type: typ, PayloadLen: uint32(len(payload))}.Append(nil), payload...)
}

// TestRefusals: each of these gets its error, every byte of it is consumed, and the
// connection goes on.
func TestRefusals(t *testing.T) {
	s, l := fileAgent(t, 10, nil)
	p := accept(t, l)
	before := []struct {
		what string
		msg  []byte
		code rpcap.Code
	}{
		{"request before AUTH", raw(0, rpcap.TypeFindAllRequest, nil), rpcap.CodeWrongMessage},
		{"payload before AUTH", raw(0, rpcap.TypeStartCaptureRequest, make([]byte, 300)), rpcap.CodeWrongMessage},
		{"unknown type before AUTH", raw(0, 99, []byte("xyz")), rpcap.CodeWrongMessage},
		{"reply before AUTH", raw(0, rpcap.TypeAuthReply, nil), rpcap.CodeWrongMessage},
		{"version 1", raw(1, rpcap.TypeAuthRequest, make([]byte, 8)), rpcap.CodeWrongVersion},
		{"short AUTH", raw(0, rpcap.TypeAuthRequest, make([]byte, 4)), rpcap.CodeAuth},
	}
	for _, c := range before {
		p.send(c.msg)
		t.Log(c.what+":", p.wantError(c.code))
	}
	p.authenticate()
	file := name(s)
	badFilter := rpcap.Program{{Op: 0x15, Jt: 200, Jf: 200}, {Op: 6}}
	after := []struct {
		what string
		msg  []byte
		code rpcap.Code
	}{
		{"unknown type", raw(0, 99, []byte("xyz")), rpcap.CodeWrongMessage},
		{"PACKET", raw(0, rpcap.TypePacket, make([]byte, 30)), rpcap.CodeWrongMessage},
		{"a reply", raw(0, rpcap.TypeStatsReply, make([]byte, 16)), rpcap.CodeWrongMessage},
		{"second AUTH", rpcap.AuthRequest{}.Append(nil), rpcap.CodeWrongMessage},
		{"version 1", raw(1, rpcap.TypeStatsRequest, nil), rpcap.CodeWrongVersion},
		{"STARTCAP without OPEN", startRequest(9999, rpcap.FlagDatagram, rpcap.AcceptAll()), rpcap.CodeStartCapture},
		{"OPEN of nothing", raw(0, rpcap.TypeOpenRequest, nil), rpcap.CodeOpen},
		{"OPEN of an unknown interface", rpcap.OpenRequest{Name: "nosuch0"}.Append(nil), rpcap.CodeOpen},
		{"OPEN of a URL", rpcap.OpenRequest{Name: "rpcap://host/eth0"}.Append(nil), rpcap.CodeOpen},
		{"OPEN of a long name", raw(0, rpcap.TypeOpenRequest, bytes.Repeat([]byte("x"), 5000)), rpcap.CodeOpen},
		{"UPDATEFILTER without capture", rpcap.UpdateFilterRequest{Filter: rpcap.AcceptAll()}.Append(nil), rpcap.CodeUpdateFilter},
		{"ENDCAP without capture", raw(0, rpcap.TypeEndCaptureRequest, nil), rpcap.CodeEndCapture},
		{"ENDCAP with payload", raw(0, rpcap.TypeEndCaptureRequest, []byte("surplus")), rpcap.CodeEndCapture},
		{"short SETSAMPLING", raw(0, rpcap.TypeSamplingRequest, make([]byte, 3)), rpcap.CodeSampling},
	}
	for _, c := range after {
		p.send(c.msg)
		t.Log(c.what+":", p.wantError(c.code))
	}
	p.open(file)
	opened := []struct {
		what string
		msg  []byte
	}{
		{"short", raw(0, rpcap.TypeStartCaptureRequest, make([]byte, 11))},
		{"no filter", raw(0, rpcap.TypeStartCaptureRequest, make([]byte, 12))},
		{"filter of type 2", raw(0, rpcap.TypeStartCaptureRequest, append(make([]byte, 12), 0, 2, 0, 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 1))},
		{"no instructions", startRequest(9999, rpcap.FlagDatagram, nil)},
		{"8,193 instructions", startRequest(9999, rpcap.FlagDatagram, make(rpcap.Program, 8193))},
		{"bad jump", startRequest(9999, rpcap.FlagDatagram, badFilter)},
		{"port 0", startRequest(0, rpcap.FlagDatagram, rpcap.AcceptAll())},
		{"TCP port closed", startRequest(closedPort(t), 0, rpcap.AcceptAll())},
	}
	for _, c := range opened {
		p.send(c.msg)
		t.Log("STARTCAP, "+c.what+":", p.wantError(rpcap.CodeStartCapture))
	}
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	checkFrames(t, data.frames(10), 10)
	p.send(startRequest(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll()))
	p.wantError(rpcap.CodeStartCapture)
	p.send(rpcap.UpdateFilterRequest{Filter: badFilter}.Append(nil))
	p.wantError(rpcap.CodeUpdateFilter)
	p.send(rpcap.UpdateFilterRequest{Filter: rpcap.AcceptAll()}.Append(nil))
	p.want(rpcap.TypeUpdateFilterReply)
	p.endCapture()
}

// closedPort is one that nobody listens on.
func closedPort(t *testing.T) uint16 { return uint16(ports.Free(t)) }

// TestSurplusPayloadIsSkipped: what peers send beyond a message is consumed.
func TestSurplusPayloadIsSkipped(t *testing.T) {
	s, l := fileAgent(t, 10, nil)
	p := accept(t, l)
	extra := bytes.Repeat([]byte{0xff}, 100)
	p.send(raw(0, rpcap.TypeAuthRequest, append(make([]byte, 8), extra...)))
	p.want(rpcap.TypeAuthReply)
	p.send(raw(0, rpcap.TypeFindAllRequest, extra))
	p.want(rpcap.TypeFindAllReply)
	p.send(raw(0, rpcap.TypeStatsRequest, extra))
	p.want(rpcap.TypeStatsReply)
	p.open(name(s) + "\x00")
	data := openDataPort(t)
	start := startRequest(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	p.send(raw(0, rpcap.TypeStartCaptureRequest, append(start[rpcap.HeaderLen:], extra...)))
	p.want(rpcap.TypeStartCaptureReply)
	update := rpcap.UpdateFilterRequest{Filter: rpcap.AcceptAll()}.Append(nil)
	p.send(raw(0, rpcap.TypeUpdateFilterRequest, append(update[rpcap.HeaderLen:], extra...)))
	p.want(rpcap.TypeUpdateFilterReply)
	p.send(raw(0, rpcap.TypeEndCaptureRequest, extra))
	p.want(rpcap.TypeEndCaptureReply)
}

func TestNullAuthenticationNeedsPermission(t *testing.T) {
	_, l := fileAgent(t, 1, func(o *Options) { o.Config.NullAuth = false })
	p := accept(t, l)
	began := time.Now()
	p.send(rpcap.AuthRequest{}.Append(nil))
	if text := p.wantError(rpcap.CodeAuth); !strings.Contains(text, "NullAuthPermit") {
		t.Errorf("%q does not name the cure", text)
	}
	if d := time.Since(began); d < authPause {
		t.Errorf("refused after %v, want a pause of %v", d, authPause)
	}
	p.send(rpcap.AuthRequest{Type: 7}.Append(nil))
	p.wantError(rpcap.CodeAuth)
}

// TestPayloadLimit: a header that announces 4 GiB is answered and ends the
// connection; nothing is allocated for it.
func TestPayloadLimit(t *testing.T) {
	_, l := fileAgent(t, 1, nil)
	p := accept(t, l)
	p.send(rpcap.Header{Type: rpcap.TypeAuthRequest, PayloadLen: 0xffffffff}.Append(nil))
	p.wantError(rpcap.CodeWrongMessage)
	p.wantClosed()
	accept(t, l).authenticate() // and it dials again
}

func TestErrorOfTheSensorDoesNotEndTheSession(t *testing.T) {
	_, l := fileAgent(t, 1, nil)
	p := accept(t, l)
	p.authenticate()
	for _, n := range []int{0, 1, 255, 256, 5000} {
		p.send(raw(0, rpcap.TypeError, bytes.Repeat([]byte("e"), n)))
		p.stats()
	}
}
