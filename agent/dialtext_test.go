package agent

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/config"
)

// TestDialText: an address that refuses is named once, with the cause and nothing else.
func TestDialText(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 1), nil)
	port := closedPort(t)
	x := newSession(r.x.agent, wish{target: config.Target{Host: "127.0.0.1", Port: port, Fanout: 1}}, nil)
	_, err := x.connect(t.Context())
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	var refused syscall.Errno // as this system says it
	if _, dialErr := net.Dial("tcp", to.String()); !errors.As(dialErr, &refused) {
		t.Fatalf("somebody listens on port %d, or %v", port, dialErr)
	}
	if want := "dial sensor 127.0.0.1: " + to.String() + ": " + refused.Error(); err == nil || err.Error() != want || !errors.Is(err, refused) {
		t.Errorf("%v, want %s", err, want)
	}
	if _, _, err := dialData(t.Context(), to, newExclusions(false)); err == nil || err.Error() != "open data connection to "+to.String()+": "+refused.Error() {
		t.Errorf("%v", err)
	}
	if _, err := Probe(t.Context(), x.target, &config.Agent{}); err == nil || err.Error() != "not reached: "+refused.Error() {
		t.Errorf("%v", err)
	}
	refuse := func(_ context.Context, a netip.Addr) (net.Conn, error) { return nil, errors.New(a.String() + ": no") }
	_, _, err = race(t.Context(), []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}, refuse)
	if err == nil || err.Error() != "10.0.0.1: no; 10.0.0.2: no" {
		t.Errorf("%v", err)
	}
}

// TestOrderlyEnd: a sensor that ends its capture and hangs up has not failed; one that hangs up before or within has.
func TestOrderlyEnd(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 1), nil)
	for name, want := range map[string]bool{"before it authenticated": false, "afterwards": true} {
		p, ended := r.connect()
		if want {
			p.authenticate()
		}
		p.conn.Close()
		if err := <-ended; errors.Is(err, errHungUp) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOrderlyEndIsNoError: the session dials again, and counts and warns of nothing.
func TestOrderlyEndIsNoError(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 1), nil)
	logged, logs := observer.New(zap.InfoLevel)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		reason error
		errors uint64
		level  zapcore.Level
	}{
		{errHungUp, 0, zap.InfoLevel},
		{errClosedBySensor, 0, zap.InfoLevel},
		{io.ErrUnexpectedEOF, 1, zap.WarnLevel},
	} {
		x := newSession(r.x.agent, wish{target: config.Target{Host: "127.0.0.1", Port: 2003, Fanout: 1}}, nil)
		x.log, x.reason = zap.New(logged), c.reason
		x.wait(over)
		st := x.snapshot()
		lines := logs.TakeAll()
		if st.State != StateBackoff || st.Errors != c.errors || (st.LastError == "") != (c.errors == 0) || len(lines) != 1 || lines[0].Level != c.level {
			t.Errorf("%v: %+v, logged %+v", c.reason, st, lines)
		}
	}
}

func TestReloadMetrics(t *testing.T) {
	s := &Supervisor{statusNow: make(chan struct{}, 1)}
	for _, c := range []struct {
		refusal error
		want    string
	}{
		{errors.New("x.ini:1: no"), "rpcapd_last_reload_successful 0\n"},
		{nil, "rpcapd_last_reload_successful 1\n"},
	} {
		s.Reloaded(c.refusal)
		st := &Status{Reload: s.reloaded()}
		if text := string(appendMetrics(nil, st)); !strings.Contains(text, c.want) || !strings.Contains(text, "rpcapd_last_reload_timestamp_seconds 1") {
			t.Errorf("%v:\n%s", c.refusal, text)
		}
	}
	if text := string(appendMetrics(nil, &Status{})); strings.Contains(text, "reload") {
		t.Errorf("without a reload:\n%s", text)
	}
}
