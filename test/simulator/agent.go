package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	agents "rpcapd/backoff"
	"rpcapd/rpcap"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	// keepAliveIdle and so on are the real agent's.
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 3 * time.Second
	keepAliveCount    = 3
)

// agent is one of the fleet; its goroutine alone touches what is not atomic.
type agent struct {
	fleet *Fleet
	addr  netip.Addr
	index int
	pause backoff

	opened  bool
	capture *capture
	final   rpcap.StatsReply // of the last capture of the connection
}

// run dials and serves until ctx ends.
func (a *agent) run(ctx context.Context) {
	for ctx.Err() == nil {
		if conn, err := a.dial(ctx); err == nil {
			began := time.Now()
			err = a.serve(ctx, conn)
			a.pause.lasted(time.Since(began))
			if ctx.Err() == nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				a.fleet.complained(err)
			}
		}
		t := time.NewTimer(a.pause.pause())
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (a *agent) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   dialTimeout,
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.addr, 0)),
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	began := time.Now()
	conn, err := d.DialContext(ctx, "tcp4", a.fleet.sensor.String())
	a.fleet.attempted(began, err)
	if err != nil {
		return nil, fmt.Errorf("dial sensor: %w", err)
	}
	return conn, nil
}

// serve answers the sensor until the connection ends.
func (a *agent) serve(ctx context.Context, conn net.Conn) error {
	began := time.Now()
	a.fleet.connected.Add(1)
	defer a.fleet.connected.Add(-1)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	defer a.endCapture()
	a.opened, a.final = false, rpcap.StatsReply{}
	wire := rpcap.NewConn(conn, rpcap.MaxRequestPayload)
	for {
		h, payload, err := wire.ReadMessage(time.Time{})
		if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		answer, err := a.answer(h, payload)
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if err := wire.WriteMessage(time.Now().Add(writeTimeout), answer); err != nil {
			return fmt.Errorf("answer %v: %w", h.Type, err)
		}
		if h.Type == rpcap.TypeStartCaptureRequest && a.capture != nil {
			a.fleet.started(time.Since(began))
			a.capture.start()
		}
	}
}

// endCapture ends a running capture and keeps its numbers.
func (a *agent) endCapture() {
	if a.capture == nil {
		return
	}
	a.final = a.capture.stop()
	a.capture = nil
	a.fleet.capturing.Add(-1)
}

// sums is what captures have done, over all agents.
type sums struct{ packed, datagrams, dropped atomic.Uint64 }

// The pauses of the real agent (agent/tunables.go; a test compares).
const (
	backoffFirst = 1 * time.Second
	backoffMax   = 30 * time.Second
	stableAfter  = 60 * time.Second
)

// backoff makes the pauses between attempts as the real agent does.
type backoff struct{ as agents.Backoff }

func (b *backoff) pause() time.Duration {
	b.as.First, b.as.Most, b.as.Stable = backoffFirst, backoffMax, stableAfter
	return b.as.Pause()
}

// lasted is told how long a session was.
func (b *backoff) lasted(d time.Duration) { b.as.Ended(d) }
