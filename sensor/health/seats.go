package health

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// seatsTold is how often the log says that connections had to make room.
const seatsTold = time.Hour

// use is what a connection is used for. The lower one makes room first.
type use uint8

const (
	useIdle    use = iota // its last request is answered: keep-alive
	useUnsaid             // its request, or its TLS handshake, is not complete
	useServing            // it is being answered
)

// seats is a listener with a bounded number of connections. When all are taken, one makes room for each new one: an idle
// one before one that has not asked yet, and that before one whose answer is not taken; of those, one of the address that
// has the most, and of these the oldest. So neither forgotten connections, nor requests that never end, nor readers
// that do not read keep others out.
type seats struct {
	net.Listener
	limit int
	log   *zap.Logger

	mu    sync.Mutex // a leaf; guards what follows
	taken map[*seat]struct{}
	per   map[netip.Addr]int
	told  time.Time
	moved uint64 // connections that made room since then
}

// seat is one connection.
type seat struct {
	net.Conn
	all  *seats
	from netip.Addr

	use   use       // guarded by all.mu
	since time.Time // guarded by all.mu
}

func newSeats(l net.Listener, limit int, log *zap.Logger) *seats {
	return &seats{Listener: l, limit: limit, log: log, taken: make(map[*seat]struct{}), per: make(map[netip.Addr]int)}
}

// Accept implements net.Listener.
func (s *seats) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	from, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // always one with TCP
	c := &seat{Conn: conn, all: s, from: from.Addr().Unmap(), use: useUnsaid, since: time.Now()}
	s.mu.Lock()
	var gone *seat
	if len(s.taken) >= s.limit {
		gone = s.makeRoom()
	}
	s.taken[c] = struct{}{}
	s.per[c.from]++
	s.mu.Unlock()
	if gone != nil {
		_ = gone.Conn.Close() // its server's goroutine ends
	}
	return c, nil
}

// makeRoom takes the seat from the connection that needs it least; mu is held.
func (s *seats) makeRoom() (least *seat) {
	for c := range s.taken {
		if least == nil || s.before(c, least) {
			least = c
		}
	}
	s.forget(least)
	s.moved++
	if now := time.Now(); s.told.IsZero() || now.Sub(s.told) >= seatsTold {
		s.log.Warn("all connections for health are taken; idle ones make room for new ones", zap.Int("connections", s.limit),
			zap.Stringer("address", least.from), zap.Int("of_this_address", s.per[least.from]+1), zap.Uint64("made_room", s.moved))
		s.told, s.moved = now, 0
	}
	return least
}

// before reports whether a makes room before b; mu is held.
func (s *seats) before(a, b *seat) bool {
	if a.use != b.use {
		return a.use < b.use
	}
	if n, m := s.per[a.from], s.per[b.from]; n != m {
		return n > m
	}
	return a.since.Before(b.since)
}

// forget frees a seat; mu is held.
func (s *seats) forget(c *seat) {
	if _, ok := s.taken[c]; !ok {
		return
	}
	delete(s.taken, c)
	if s.per[c.from]--; s.per[c.from] <= 0 {
		delete(s.per, c.from)
	}
}

// Close implements net.Conn.
func (c *seat) Close() error {
	c.all.mu.Lock()
	c.all.forget(c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// is notes what the connection is used for now.
func (c *seat) is(u use) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.use, c.since = u, time.Now()
}

// seatOf finds the seat under TLS.
func seatOf(conn net.Conn) *seat {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, _ := conn.(*seat)
	return c
}

// seatKey is where a request's context has its seat.
type seatKey struct{}

// follow makes a server tell what its connections are used for.
func follow(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, seatKey{}, seatOf(conn))
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		c := seatOf(conn)
		switch {
		case c == nil:
		case state == http.StateIdle:
			c.is(useIdle)
		case state == http.StateActive: // the first bytes of a request are there
			c.is(useUnsaid)
		}
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, _ := r.Context().Value(seatKey{}).(*seat); c != nil {
			c.is(useServing)
		}
		next.ServeHTTP(w, r)
	})
}
