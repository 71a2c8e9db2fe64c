package pcapoverip

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// drainTimeout bounds the writing of what is queued when the sensor stops, lingerTimeout the wait for the client's end
// of the connection after that. Together they are below what the sensor gives its sinks.
const (
	drainTimeout  = 2 * time.Second
	lingerTimeout = 500 * time.Millisecond
)

// pieceSize is what a connection must take within Options.Stalled to live.
const pieceSize = 64 << 10

var (
	errGone    = errors.New("it has closed the connection")
	errStalled = errors.New("it has stopped reading")
)

// pacedConn writes in pieces, each with a deadline, so that slow progress is progress.
type pacedConn struct {
	net.Conn
	stalled time.Duration
	written atomic.Uint64 // bytes

	mu    sync.Mutex // a leaf
	final time.Time  // of all writing; zero: none
}

// Write implements io.Writer for one goroutine.
func (c *pacedConn) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		c.mu.Lock()
		deadline := c.final
		if deadline.IsZero() {
			deadline = time.Now().Add(c.stalled)
		}
		err = c.SetWriteDeadline(deadline)
		c.mu.Unlock()
		if err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[:min(len(p), pieceSize)])
		n += k
		c.written.Add(uint64(k))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return n, c.tooSlow()
		}
		if err != nil {
			return n, err
		}
		p = p[k:]
	}
	return n, nil
}

func (c *pacedConn) tooSlow() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final.IsZero() {
		return fmt.Errorf("%w: not even %d KiB in %v", errStalled, pieceSize>>10, c.stalled)
	}
	return fmt.Errorf("%w: what was queued at the end was not taken within %v", errStalled, drainTimeout)
}

// finishBy bounds all writing from now on.
func (c *pacedConn) finishBy(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.final = t
	_ = c.SetWriteDeadline(t) // a closed connection has no use for one
}

// abort closes the connection at once. That of TLS would first try for five seconds to say goodbye to one who has
// stopped reading.
func (c *pacedConn) abort() { _ = c.raw().Close() }

// raw is the connection below TLS, if there is any.
func (c *pacedConn) raw() net.Conn {
	if t, ok := c.Conn.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c.Conn
}

// hangUp ends the stream with FIN, so that what was written arrives, and waits a little for the other end; ended is
// closed when that has come.
func (c *pacedConn) hangUp(ended <-chan struct{}) {
	bound := time.AfterFunc(lingerTimeout, c.abort)
	defer bound.Stop()
	defer c.abort() // nothing is left to be lost
	if w, ok := c.Conn.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
		return
	}
	if w, ok := c.raw().(interface{ CloseWrite() error }); ok && c.raw() != c.Conn && w.CloseWrite() != nil {
		return
	}
	timer := time.NewTimer(lingerTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// reason tells the end of a connection in words.
func reason(err error) string {
	switch {
	case err == nil:
		return "the sensor stops"
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return errGone.Error()
	}
	return err.Error()
}
