package agent

import (
	"net"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"rpcapd/config"
	"rpcapd/iface"
	"rpcapd/rpcap"
)

// waitFor polls a condition of the agent's status.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timed out: %s", what)
		}
	}
}

func TestPasswordAuthentication(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s, l := fileAgent(t, 1, func(o *Options) {
		o.Config.NullAuth = false
		o.Config.Accounts = []config.Account{{Name: "sensor", Hash: hash}}
	})
	p := accept(t, l)
	p.send(rpcap.AuthRequest{Type: rpcap.AuthPassword, User: "sensor", Password: "wrong"}.Append(nil))
	p.wantError(rpcap.CodeAuth)
	p.send(rpcap.AuthRequest{Type: rpcap.AuthPassword, User: "sensor", Password: "secret"}.Append(nil))
	p.want(rpcap.TypeAuthReply)
	if n := s.Status().Sessions[0].AuthFailures; n != 1 {
		t.Errorf("%d failures counted, want 1", n)
	}
}

// TestDialsAgain: after the sensor closes, resets, or sends what cannot be followed,
// the agent comes back after a pause, not at once.
func TestDialsAgain(t *testing.T) {
	_, l := fileAgent(t, 1, nil)
	p := accept(t, l)
	p.authenticate()
	p.conn.Close()
	began := time.Now()
	p = accept(t, l)
	if d := time.Since(began); d < backoffFirst/2 {
		t.Errorf("dialed again after %v, want at least %v", d, backoffFirst/2)
	}
	p.send(raw(0, rpcap.TypeClose, nil)) // before authentication: a plain disconnect
	p.wantClosed()
	p = accept(t, l)
	p.send((&rpcap.Error{Code: rpcap.CodeRemoteAccept, Text: "not wanted"}).Append(nil))
	p.wantClosed()
}

func TestCloseStopsTheSessionUntilReload(t *testing.T) {
	var cfg config.Agent
	s, l := fileAgent(t, 1, func(o *Options) {
		o.Config.OnClose = config.CloseStop
		cfg = o.Config
	})
	p := accept(t, l)
	p.authenticate()
	p.send(rpcap.AppendEmpty(nil, rpcap.TypeClose))
	p.wantClosed()
	waitFor(t, "the session is stopped", func() bool { return s.Status().Sessions[0].State == StateStopped })
	s.Reload(cfg)
	accept(t, l).authenticate()
}

// TestReloadTouchesOnlyWhatChanged: a session whose line stays keeps its connection
// and its capture, one whose line is gone ends, a new one starts.
func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	var cfg config.Agent
	gone := sensorPort(t)
	s, stays := fileAgent(t, 5, func(o *Options) {
		o.Config.Targets = append(o.Config.Targets, target(gone))
		cfg = o.Config
	})
	a, b := accept(t, stays), accept(t, gone)
	a.authenticate()
	b.authenticate()
	a.open(name(s))
	data := openDataPort(t)
	a.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	checkFrames(t, data.frames(5), 5)

	fresh := sensorPort(t)
	line := cfg.Targets[0]
	line.Line = 7
	cfg.Targets = []config.Target{target(fresh), line}
	s.Reload(cfg)
	b.wantClosed()
	accept(t, fresh).authenticate()
	if st := a.stats(); st.Captured != 5 {
		t.Errorf("the capture of the line that stayed has %+v", st)
	}
	a.endCapture()
	if st := s.Status(); len(st.Sessions) != 2 || st.Sessions[0].Line != 7 && st.Sessions[1].Line != 7 {
		t.Errorf("the session did not follow its line: %+v", st.Sessions)
	}
}

// TestMissingInterfaceKeepsTheRestriction: a line whose interface does not exist
// does not dial, and never captures another.
func TestMissingInterfaceKeepsTheRestriction(t *testing.T) {
	s, l := fileAgent(t, 1, func(o *Options) { o.Config.Targets[0].Select = iface.Selector{Name: "eth9"} })
	waitFor(t, "the session waits", func() bool { return s.Status().Sessions[0].State == StateWaiting })
	if d := s.Status().Sessions[0].Detail; d != "for ifname=eth9" {
		t.Errorf("detail %q does not name the interface", d)
	}
	l.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if c, err := l.Accept(); err == nil {
		c.Close()
		t.Error("the agent dialed though its interface does not exist")
	}
}

func TestPreselectedInterfaceIsMarkedAndTheOnlyOne(t *testing.T) {
	_, l := fileAgent(t, 1, func(o *Options) {
		o.Config.Targets[0].Select = iface.Selector{Name: "traffic.pcap"}
	})
	p := accept(t, l)
	p.authenticate()
	list := p.interfaces()
	if len(list) != 1 || !list[0].Preselected() {
		t.Errorf("interfaces %+v, want one, preselected", list)
	}
	p.send(rpcap.OpenRequest{Name: "lo"}.Append(nil))
	p.wantError(rpcap.CodeOpen)
	p.send(startRequest(9999, rpcap.FlagDatagram, rpcap.AcceptAll())) // the refused name is not remembered
	p.wantError(rpcap.CodeStartCapture)
	if r := p.open("traffic.pcap"); r.LinkType != 1 {
		t.Errorf("link type %d, want 1", r.LinkType)
	}
}

// TestDataConnectionThatDies is told with the one unsolicited error, and the session
// goes on.
func TestDataConnectionThatDies(t *testing.T) {
	s, l := fileAgent(t, 50000, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := sensorPort(t)
	p.startCapture(uint16(data.Addr().(*net.TCPAddr).Port), 0, rpcap.AcceptAll())
	c, err := data.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	p.wantError(rpcap.CodeRead)
	p.send(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
	p.wantError(rpcap.CodeEndCapture)
	udp := openDataPort(t)
	p.startCapture(udp.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	p.endCapture()
}

// TestStopSendsWhatIsBuffered: when the agent ends, a running capture is sent out.
func TestStopSendsWhatIsBuffered(t *testing.T) {
	l := sensorPort(t)
	o := Options{ReadFile: writeCaptureFile(t, 100)}
	o.Config.Targets = []config.Target{target(l)}
	o.Config.NullAuth = true
	s, stop := runAgent(t, o)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	waitFor(t, "the file is read", func() bool { return p.stats().Captured == 100 })
	began := time.Now()
	stop()
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("stopping took %v", d)
	}
	checkFrames(t, data.frames(100), 100)
	p.wantError(rpcap.CodeRead) // what for, TestEndsInOrder tells
	p.wantClosed()
}

// TestSilentSensorIsWaitedFor: nothing is sent before AUTH_REQ, and a message that
// comes byte by byte is understood.
func TestSilentSensorIsWaitedFor(t *testing.T) {
	_, l := fileAgent(t, 1, nil)
	p := accept(t, l)
	p.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := p.conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("the agent spoke first: %d bytes", n)
	}
	for _, b := range (rpcap.AuthRequest{}).Append(nil) {
		p.conn.Write([]byte{b})
	}
	p.want(rpcap.TypeAuthReply)
}
