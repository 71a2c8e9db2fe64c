package health

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// crowd is more connections than there are seats.
const crowd = maxConnections + 44

// stubborn opens connections that use their seats in a bad way, and keeps them open until the test ends.
func stubborn(t *testing.T, s *Server, n int, secure bool, begin func(net.Conn)) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		begin(c)
	}
}

// healthy asks for /healthz by a new connection and returns the time that the answer took.
func healthy(t *testing.T, s *Server) time.Duration {
	t.Helper()
	begin := time.Now()
	if code, _, _ := get(t, s.URL()+"healthz", nil); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	return time.Since(begin)
}

// TestSeats: whoever uses connections in a bad way, and however many there are, keeps nobody out.
func TestSeats(t *testing.T) {
	if harness.Race {
		t.Skip("thousands of connections, many with TLS, take too long with the race detector")
	}
	cert, key := keyPair(t, t.TempDir(), 1)
	ask := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" }
	ways := map[string]func(net.Conn){
		"says nothing": func(net.Conn) {},
		"kept alive": func(c net.Conn) {
			fmt.Fprint(c, ask("/healthz")+"\r\n")
			if r, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
		},
		"never ends its request": func(c net.Conn) { fmt.Fprint(c, ask("/")+"X-Slow: ") },
		"reads nothing":          func(c net.Conn) { fmt.Fprint(c, ask("/api/v1/peers")+"\r\n") },
		"reads no metrics":       func(c net.Conn) { fmt.Fprint(c, ask("/metrics")+"\r\n") },
	}
	for _, secure := range []bool{false, true} {
		for name, begin := range ways {
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				f := newFake()
				for i := range 200 { // an answer of some 100 KB does not fit into the buffers of the connection
					p := running(fmt.Sprint("web", i), 5, time.Now())
					p.LastError = strings.Repeat("x", 500)
					f.peers = append(f.peers, p)
				}
				s := serveFake(t, f, func(o *Options) {
					if secure {
						o.Certificate, o.Key = cert, key
					}
				})
				stubborn(t, s, crowd, secure && name != "says nothing", begin)
				best := time.Hour // of a few: other tests run beside this one
				for range 5 {
					best = min(best, healthy(t, s))
				}
				if best > headerTime/2 { // who waits for a seat waits for headerTime
					t.Errorf("/healthz took %v", best)
				}
				if code, _, _ := get(t, s.URL(), nil); code != http.StatusOK {
					t.Errorf("page: %d", code)
				}
				if code, _, _ := get(t, s.URL()+"metrics", nil); code != http.StatusOK {
					t.Errorf("metrics: %d", code)
				}
			})
		}
	}
}

// TestWhoMakesRoom: an idle connection goes before one that asks, and one of a crowd before a single one. The log says it
// once.
func TestWhoMakesRoom(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newSeats(l, 3, zap.New(core))
	accept := func(from string) *seat {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		a, err := s.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return a.(*seat)
	}
	has := func(c *seat) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, ok := s.taken[c]
		return ok
	}
	single, first, second := accept("127.0.0.2"), accept("127.0.0.3"), accept("127.0.0.3")
	second.is(useIdle)
	third := accept("127.0.0.3")
	if has(second) || !has(single) || !has(first) || !has(third) {
		t.Error("the idle one does not make room")
	}
	accept("127.0.0.4")
	if has(first) || !has(single) {
		t.Error("not the older one of the address with two makes room")
	}
	for _, c := range []*seat{single, third} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = c.Close() // net/http may close twice
	}
	if len(s.taken) != 1 || len(s.per) != 1 {
		t.Errorf("%d seats of %d addresses are taken", len(s.taken), len(s.per))
	}
	if n := logs.Len(); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
}
