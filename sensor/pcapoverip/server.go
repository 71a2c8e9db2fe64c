package pcapoverip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/printable"
)

const (
	// maxPending bounds the connections in a TLS handshake; one more, and the oldest is closed.
	maxPending       = 64
	handshakeTimeout = 10 * time.Second
	// keepAlive finds a client whose machine has gone within a minute.
	keepAliveIdle, keepAliveInterval, keepAliveCount = 30 * time.Second, 10 * time.Second, 3
	refusalTimeout                                   = time.Second
)

// serve accepts clients until ctx ends, and then waits for them to get what is left.
func (s *Sink) serve(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() }) // Accept ends
	defer stop()
	s.log.Info("listening for PCAP-over-IP clients", zap.Stringer("address", s.listener.Addr()), zap.Bool("tls", s.tls != nil))
	pause := backoff.Backoff{First: 10 * time.Millisecond, Most: time.Second}
	for {
		conn, err := s.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close() // it came too late
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept clients of %s: %w", s.opts.Name, err)
		case err != nil: // too many open files: those of others end, too
			s.trouble(fmt.Errorf("accept client: %w", err))
			_ = backoff.Wait(ctx, pause.Pause()) // the listener is closed at the end
			continue
		}
		pause.Reset()
		c := s.newClient(conn)
		if !s.allowed(c.address.Addr()) {
			s.refuse(c, "its address is not in AllowClients")
			continue
		}
		if s.tls != nil {
			s.addPending(conn)
			wg.Go(func() { s.shake(ctx, c) })
			continue
		}
		if s.enter(c) {
			wg.Go(func() { c.run(ctx) })
		}
	}
}

func (s *Sink) newClient(conn net.Conn) *client {
	c := &client{sink: s, since: time.Now(), conn: &pacedConn{Conn: conn, stalled: s.opts.Stalled}}
	if t, ok := c.conn.raw().(*net.TCPConn); ok {
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{ // without it, dead clients are found when they stall
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		})
	}
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		c.address = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	c.log = s.log.With(zap.Stringer("client", c.address))
	return c
}

func (s *Sink) allowed(a netip.Addr) bool {
	return len(s.opts.AllowClients) == 0 || slices.ContainsFunc(s.opts.AllowClients, func(p netip.Prefix) bool {
		return p.Contains(a.WithZone(""))
	})
}

// enter gives a client its place, or refuses it.
func (s *Sink) enter(c *client) bool {
	s.mu.Lock()
	if len(s.clients) >= s.opts.Clients {
		s.mu.Unlock()
		s.refuse(c, fmt.Sprintf("the limit of %d clients is reached", s.opts.Clients))
		return false
	}
	s.clients[c] = struct{}{}
	s.served++
	s.mu.Unlock()
	return true
}

// refuse says why and hangs up.
func (s *Sink) refuse(c *client, why string) {
	s.mu.Lock()
	s.refused++
	s.mu.Unlock()
	if skipped, yes := s.refusals.Due("", 1, time.Now()); yes {
		c.log.Warn("client refused", zap.String("reason", why), zap.Int("refused_before", skipped))
	}
	bound := time.AfterFunc(refusalTimeout, c.conn.abort)
	defer bound.Stop()
	_, _ = fmt.Fprintf(c.conn.Conn, "error: %s\n", why) // whoever reads it
	_ = c.conn.Close()
}

// leave takes a client out.
func (s *Sink) leave(c *client) {
	n := c.counters()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	s.past.add(n)
}

// addPending closes the oldest connection in a handshake if there are too many.
func (s *Sink) addPending(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) >= maxPending {
		_ = s.pending[0].Close() // its goroutine reports it
		s.pending = slices.Delete(s.pending, 0, 1)
	}
	s.pending = append(s.pending, conn)
}

func (s *Sink) removePending(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = slices.DeleteFunc(s.pending, func(c net.Conn) bool { return c == conn })
}

// shake makes the TLS handshake and then runs the client.
func (s *Sink) shake(ctx context.Context, c *client) {
	raw := c.conn.Conn
	conn := tls.Server(raw, s.tls.Server())
	bounded, cancel := context.WithTimeout(ctx, handshakeTimeout)
	err := conn.HandshakeContext(bounded)
	cancel()
	s.removePending(raw)
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			return
		}
		err = handshakeError(err)
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		if skipped, yes := s.refusals.Due("", 1, time.Now()); yes {
			c.log.Warn("client refused: TLS handshake failed", zap.Error(err), zap.Int("refused_before", skipped))
		}
		return
	}
	c.conn.Conn = conn
	if certs := conn.ConnectionState().PeerCertificates; len(certs) > 0 {
		c.certificate = printable.Line(certs[0].Subject.String(), printable.MaxText)
	}
	if s.enter(c) {
		c.run(ctx)
	}
}

// handshakeError says what an operator can do.
func handshakeError(err error) error {
	record := tls.RecordHeaderError{}
	switch {
	case errors.As(err, &record):
		return fmt.Errorf("it does not use TLS, and this port requires it (try openssl s_client): %w", err)
	case errors.Is(err, net.ErrClosed):
		return errors.New("it has not finished the handshake, and other clients wait")
	}
	return err
}

// trouble keeps the last error for the status, and logs it now and then.
func (s *Sink) trouble(err error) {
	s.mu.Lock()
	s.lastErr, s.lastAt = err.Error(), time.Now()
	s.mu.Unlock()
	if skipped, yes := s.refusals.Due("", 1, time.Now()); yes {
		s.log.Warn("PCAP-over-IP", zap.Error(err), zap.Int("before", skipped))
	}
}

// run serves the client until it goes, or until ctx ends and it has got everything.
func (c *client) run(ctx context.Context) {
	defer c.sink.leave(c)
	in := newInput(c.sink.opts.begin)
	go in.read(c.conn.Conn)
	defer func() { <-in.done }()
	err := c.serve(ctx, in)
	if asked := (requestError{}); errors.As(err, &asked) {
		if skipped, yes := c.sink.refusals.Due("", 1, time.Now()); yes {
			c.log.Warn("client refused: its request cannot be obeyed", zap.Error(err), zap.Int("refused_before", skipped))
		}
		c.conn.finishBy(time.Now().Add(refusalTimeout))
		_, _ = fmt.Fprintf(c.conn, "error: %v\n", err) // whoever reads it
	}
	if err == nil || errors.As(err, &requestError{}) {
		c.conn.hangUp(in.ended)
	} else {
		c.conn.abort() // what is queued is lost, and counted
	}
	switch n := c.counters(); {
	case errors.As(err, &requestError{}): // told
	case err != nil && n.Written == 0 && !c.announced.Load():
		c.sink.probed(c)
	case c.served():
		c.announce()
		c.log.Info("client disconnected", zap.String("reason", reason(err)), zap.Uint64("frames", n.Written),
			zap.Uint64("bytes", n.bytes), zap.Uint64("dropped", n.Dropped))
	}
}
