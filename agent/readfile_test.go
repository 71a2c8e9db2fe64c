package agent

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/rpcap"
)

// TestFileIsSentOnce: with ReadOnce the sensor gets each frame once, also of a file that ends badly, is told so, and the
// agent ends by itself.
func TestFileIsSentOnce(t *testing.T) {
	const n = 50
	file := writeCaptureFile(t, n)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(whole, "a cut record"...), 0o600); err != nil {
		t.Fatal(err)
	}
	l := sensorPort(t)
	logs := &logCounter{}
	o := Options{ReadFile: file, ReadOnce: true, Logger: zap.New(logs)}
	o.Config.NullAuth = true
	o.Config.Targets = []config.Target{target(l)}
	o.Config.Targets[0].Fanout = 3 // each frame once, all the same
	o.Config.Datagram = config.Datagram{Size: 1472}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	p := accept(t, l)
	p.authenticate()
	p.open(name(s))
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	checkFrames(t, data.frames(n), n)
	e := p.wantError(rpcap.CodeRead)
	if !strings.Contains(e, "is damaged (unexpected EOF)") || strings.Contains(e, file) {
		t.Errorf("the sensor is told %q", e)
	}
	if st := p.stats(); st.Captured != n {
		t.Errorf("statistics %+v", st)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(waitLimit):
		t.Fatal("the agent goes on")
	}
	found := 0
	texts, _ := logs.warned()
	for _, text := range texts {
		if text == "capture file is damaged, the frames before the damage have been forwarded: read capture file "+file+": unexpected EOF" {
			found++
		}
	}
	if found != 1 {
		t.Errorf("log: %q", texts)
	}
}
