package pcapoverip

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/repeat"
	"rpcapd/sensor/sink"
	"rpcapd/test/ports"
	"rpcapd/tlsfiles"
)

// TestDialOut connects, loses the listener, and comes back with a complete new stream.
func TestDialOut(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", ports.Free(t)) // bound twice
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Connect: address})
	f := s.attach("web", "eth0", 1)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ch := collect(c)
	s.streaming(1)
	p := ethernet(1, 80, 100)
	f.Frame(p)
	eventually(t, "the frame was sent", func() bool { return s.reading(0).Written == 1 })
	if st := s.Status(); st.State != sink.Running {
		t.Errorf("connected: %+v", st)
	}
	_ = c.Close()
	_ = l.Close()
	<-ch
	// It may take the first write to find that nobody is there.
	eventually(t, "the connection is lost", func() bool { f.Frame(p); return s.Status().State == sink.Degraded })
	before := f.Counters()
	f.Frame(p)
	if n := f.Counters(); n.Dropped != before.Dropped+1 || n.LeftOut != 0 {
		t.Errorf("without a listener: %+v after %+v", n, before)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch = collect(c)
	s.streaming(1)
	q := ethernet(2, 80, 200)
	f.Frame(q)
	s.stop()
	r := await(t, "the second connection", ch)
	compare(t, "the second connection", r.records, []record{recordOf("web/eth0", 1, q)})
}

// TestDialOutToOneThatOnlyReads closes its own direction at once, as socat -u does.
func TestDialOutToOneThatOnlyReads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := start(t, Options{Connect: l.Addr().String()})
	f := s.attach("web", "eth0", 1)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ch := collect(c)
	s.streaming(1)
	time.Sleep(20 * time.Millisecond) // its FIN is here
	p := ethernet(1, 80, 100)
	f.Frame(p)
	s.stop()
	compare(t, "listener", await(t, "listener", ch).records, []record{recordOf("web/eth0", 1, p)})
}

// TestDialOutTLS trusts only the right listener.
func TestDialOutTLS(t *testing.T) {
	ca, stranger := newAuthority(t, "authority"), newAuthority(t, "stranger")
	listen := func(a *authority) (net.Listener, string) {
		pair, err := tls.LoadX509KeyPair(a.issue("analysis.example"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l, l.Addr().String()
	}
	cert, key := ca.issue("sensor.example")
	files := &tlsfiles.Files{Certificate: cert, Key: key, CA: ca.file, ServerName: "analysis.example"}

	good, address := listen(ca)
	s := start(t, Options{Connect: address, TLS: files})
	f := s.attach("web", "eth0", 1)
	c, err := good.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch := collect(c)
	s.streaming(1)
	p := ethernet(1, 80, 100)
	f.Frame(p)
	s.stop()
	compare(t, "listener", await(t, "listener", ch).records, []record{recordOf("web/eth0", 1, p)})

	refused := func(what, address string, files *tlsfiles.Files, want string) {
		s := start(t, Options{Name: what, Connect: address, TLS: files})
		eventually(t, what+" is refused", func() bool { st := s.Status(); return strings.Contains(st.Error, want) })
		if st := s.Status(); st.State != sink.Degraded || len(st.Parts) != 0 {
			t.Errorf("%s: %+v", what, st)
		}
		s.stop()
	}
	accept := func(l net.Listener) {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 1))
				_ = c.Close()
			}
		}()
	}
	bad, address := listen(stranger)
	accept(bad)
	refused("foreign authority", address, files, "unknown authority")
	other, address := listen(ca)
	accept(other)
	wrong := files
	wrong.ServerName = "other.example"
	refused("other name", address, wrong, "not other.example")
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello, what is this?\n"))
			_, _ = io.Copy(io.Discard, c) // to close before would take back what was written, on Windows
			_ = c.Close()
		}
	}()
	refused("plain listener", plain.Addr().String(), files, "does not use TLS")
}

// TestNobodyListens waits longer each time.
func TestNobodyListens(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", ports.Free(t))
	s := start(t, Options{Connect: address})
	f := s.attach("web", "eth0", 1)
	eventually(t, "the status tells", func() bool { return strings.Contains(s.Status().Error, "refused") })
	f.Frame(ethernet(1, 80, 60))
	if n := f.Counters(); n.Dropped != 1 {
		t.Errorf("counters %+v", n)
	}
	if st := s.Status(); !slices.ContainsFunc(st.Details, func(d sink.Detail) bool { return d.Name == "listener" && d.Text == address }) {
		t.Errorf("status %+v", st)
	}
	s.stop() // at once, out of the pause
}

// TestDialLog: a listener that takes each connection and closes it, or that is not there, is told of a few times in an hour.
func TestDialLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		s := &Sink{log: zap.New(core)}
		var told repeat.Memory
		for hour := range 2 {
			for i := range 500 {
				s.tell(&told, i%2 == 0, io.EOF, time.Second)
			}
			if n := logs.Len(); n == 0 || n > 2*dialTold*(hour+1) {
				t.Errorf("%d lines after %d h", n, hour)
			}
			time.Sleep(time.Hour)
		}
	})
}
