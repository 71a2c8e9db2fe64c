package pcapoverip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"rpcapd/backoff"
	"rpcapd/repeat"
)

const (
	// The pause before a listener is dialed again grows from the first to the most; after a connection of stableTime it
	// begins anew.
	dialFirst, dialMost = time.Second, 30 * time.Second
	stableTime          = time.Minute
	dialTimeout         = 10 * time.Second
	// earlyEnd is how long the listener's end of its own direction means that it only reads, as socat -u does; after
	// that it means that the listener has gone.
	earlyEnd = time.Second
)

// dialOut keeps a connection to the listener until ctx ends.
func (s *Sink) dialOut(ctx context.Context) {
	pause := backoff.Backoff{First: dialFirst, Most: dialMost, Stable: stableTime}
	var told repeat.Memory
	for {
		begin := time.Now()
		connected, err := s.dialed(ctx)
		if ctx.Err() != nil {
			return
		}
		pause.Ended(time.Since(begin))
		s.disconnected(err)
		wait := pause.Pause()
		s.tell(&told, connected, err, wait)
		if backoff.Wait(ctx, wait) != nil {
			return
		}
	}
}

// tell logs that an attempt has failed, or a connection ended; a few times in an hour each.
func (s *Sink) tell(told *repeat.Memory, connected bool, err error, wait time.Duration) {
	key := "attempt"
	if connected {
		key = "connection"
	}
	level := zap.DebugLevel
	missed, ok := told.Due(key, dialTold, time.Now())
	if ok {
		level = zap.WarnLevel
	}
	s.log.Log(level, "cannot reach the listener; frames are dropped until it answers", zap.String("listener", s.opts.Connect),
		zap.String("reason", reason(err)), zap.Duration("next_try_in", wait.Round(time.Millisecond)), zap.Int("since_the_last_line", missed))
}

// disconnected is for the status.
func (s *Sink) disconnected(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.peer {
		s.peer, s.since = false, now
	}
	s.lastErr, s.lastAt = reason(err), now
}

// dialed is one attempt and the connection that comes of it: a complete new stream.
func (s *Sink) dialed(ctx context.Context) (connected bool, err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	c := s.newClient(conn)
	s.mu.Lock()
	s.clients[c] = struct{}{}
	s.served++
	s.peer, s.since = true, time.Now()
	s.mu.Unlock()
	defer s.leave(c)

	in := newInput(0)
	in.deaf = true
	go in.read(conn)
	defer func() { <-in.done }()
	early := time.AfterFunc(earlyEnd, func() { in.phase.Store(phaseStreaming) })
	defer early.Stop()
	if err = c.deliver(ctx, in, nil); err == nil {
		c.conn.hangUp(in.ended)
	}
	c.conn.abort() // what is queued is lost, and counted
	return true, err
}

// dial connects, with TLS if that is wanted.
func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.opts.Connect)
	if err != nil || s.tls == nil {
		return conn, err
	}
	host, _, err := net.SplitHostPort(s.opts.Connect)
	if err == nil {
		secure := tls.Client(conn, s.tls.Client(host))
		if err = secure.HandshakeContext(ctx); err == nil {
			return secure, nil
		}
	}
	_ = conn.Close()
	if record := (tls.RecordHeaderError{}); errors.As(err, &record) {
		err = fmt.Errorf("the listener does not use TLS: %w", err)
	}
	return nil, fmt.Errorf("make TLS handshake: %w", err)
}

// Run implements sink.Sink. At the end clients get what is queued and the statistics, in at most drainTimeout.
func (s *Sink) Run(ctx context.Context) (err error) {
	if s.opts.Connect != "" {
		s.dialOut(ctx)
	} else {
		err = s.serve(ctx)
	}
	s.backlog.mu.Lock()
	s.ended = true
	s.backlog.mu.Unlock()
	return err
}
