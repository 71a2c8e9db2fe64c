package agent

import (
	"strings"
	"testing"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
)

// TestEndsInOrder: at the end of the agent, and of its line, everything is sent, the
// sensor is told, can ask for the final numbers, and nothing new begins.
func TestEndsInOrder(t *testing.T) {
	for what, end := range map[string]func(s *Supervisor, stop func()){
		"the agent stops":  func(_ *Supervisor, stop func()) { stop() },
		"line was removed": func(s *Supervisor, _ func()) { s.Reload(config.Agent{NullAuth: true}) },
	} {
		t.Run(what, func(t *testing.T) {
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
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				end(s, stop)
			}()
			if text := p.wantError(rpcap.CodeRead); !strings.HasPrefix(text, rpcap.SessionEnds) || !strings.Contains(text, what) {
				t.Errorf("told %q", text)
			}
			if st := p.stats(); st.Captured != 100 || st.IfRecv != 100 {
				t.Errorf("final numbers %+v", st)
			}
			checkFrames(t, data.frames(100), 100)
			p.open(name(s))
			p.send(startRequest(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll()))
			p.wantError(rpcap.CodeStartCapture)
			p.conn.Close() // the agent need not wait any longer
			began := time.Now()
			<-ended
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("ended %v after the sensor had hung up", d)
			}
		})
	}
}

// TestEndsWithoutCapture: there is nothing to tell.
func TestEndsWithoutCapture(t *testing.T) {
	l := sensorPort(t)
	o := Options{ReadFile: writeCaptureFile(t, 1)}
	o.Config.Targets = []config.Target{target(l)}
	o.Config.NullAuth = true
	_, stop := runAgent(t, o)
	p := accept(t, l)
	p.authenticate()
	stop()
	p.wantClosed()
}

// TestDataPortsOfTheIni: a sensor cannot make the agent send to other ports, by UDP or
// TCP, and is told why.
func TestDataPortsOfTheIni(t *testing.T) {
	s, l := fileAgent(t, 1, nil)
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	for _, flags := range []rpcap.StartCaptureFlags{rpcap.FlagDatagram, 0} {
		for _, port := range []uint16{1, 22, 53, 514, 1023} {
			p.send(startRequest(port, flags, rpcap.AcceptAll()))
			if text := p.wantError(rpcap.CodeStartCapture); !strings.Contains(text, "DataPorts") || !strings.Contains(text, "1024-65535") {
				t.Errorf("port %d: %q", port, text)
			}
		}
	}
	data := openDataPort(t)
	s.Reload(config.Agent{NullAuth: true, Targets: s.policy.Load().Targets, DataPorts: config.PortRange{First: 1, Last: data.port() - 1}})
	p.send(startRequest(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll()))
	p.wantError(rpcap.CodeStartCapture)
	p.startCapture(data.port()-1, rpcap.FlagDatagram, rpcap.AcceptAll())
}
