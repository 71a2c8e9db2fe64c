package agent

import (
	"testing"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/test/netlab"
	"rpcapd/udpsock"
	"rpcapd/udpstr"
)

// A sensor whose path loses super-packets asks for single datagrams: none leaves any more,
// whatever --gso says, all arrive, and the status says why.
func TestSensorAsksForSingleDatagrams(t *testing.T) {
	for _, single := range []bool{false, true} {
		data := openDataPort(t)
		policy := &config.Agent{Datagram: config.Datagram{Size: 1472}}
		out, err := openUDPStr(data.addr(), &Options{GSO: udpsock.On}, policy, single, zap.NewNop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer out.close()
		u := out.(*udpStr)
		if on, _ := u.sock.GSO(); !single && !on {
			netlab.Missing(t, "the kernel has no segmentation offload")
		}
		frames := make([]udpstr.Frame, 20)
		for i := range frames {
			frames[i].Data = make([]byte, 1400)
			frames[i].Len = 1400
		}
		if err := out.forward(frames); err != nil {
			t.Fatal(err)
		}
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
		data.frames(len(frames))
		var st CaptureStatus
		out.describe(&st)
		supers := u.sock.Counters().SuperPackets
		if single && (supers != 0 || st.GSO != gsoRefused) || !single && (supers == 0 || st.GSO != "on") {
			t.Errorf("single %v: %d super-packets, GSO %q", single, supers, st.GSO)
		}
	}
}

// The wish comes with STARTCAP and holds for that capture only.
func TestFlagNoSegmentation(t *testing.T) {
	const n = 100
	s, l := fileAgent(t, n, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	for _, flag := range []rpcap.StartCaptureFlags{rpcap.FlagNoSegmentation, 0} {
		data := openDataPort(t)
		p.startCapture(data.port(), rpcap.FlagDatagram|flag, rpcap.AcceptAll())
		checkFrames(t, data.frames(n), n)
		p.endCapture()
		if gso := s.Status().Sessions[0].Capture.GSO; (gso == gsoRefused) != (flag != 0) {
			t.Errorf("flag %#x: GSO %q", flag, gso)
		}
	}
}
