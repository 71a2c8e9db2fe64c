package rpcap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// ErrPayloadTooLong means that a header announces more payload than the connection takes.
// None of the payload was read, and the connection is unusable after it.
var ErrPayloadTooLong = errors.New("payload too long")

const (
	// readBuffer takes a request or reply of usual size in one read.
	readBuffer = 4096
	// payloadStep is how much memory a payload is given before its bytes have come: a
	// peer that announces much and sends little costs little.
	payloadStep = 64 << 10
)

// Conn frames a connection into messages. One goroutine may read while others
// write. Deadlines are arguments; the zero time means none.
type Conn struct {
	conn       net.Conn
	r          *bufio.Reader
	maxPayload uint32
	payload    []byte
	budget     func(bytes int) error // nil: memory is not limited beyond maxPayload

	waiting     sync.Mutex // guards what follows
	awaiting    bool       // Await waits for the connection
	interrupted bool

	writing sync.Mutex
	cut     error // why a message was written in part; guarded by writing
}

// NewConn returns a framed connection that takes payloads of up to maxPayload bytes.
func NewConn(c net.Conn, maxPayload uint32) *Conn {
	return &Conn{conn: c, r: bufio.NewReaderSize(c, readBuffer), maxPayload: maxPayload}
}

// NetConn returns the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.conn }

// SetBudget has f asked before a payload gets more memory than usual, with the bytes
// that it will have then, and told 0 when they are given up. An error of f ends the
// reading. It is set before the first message.
func (c *Conn) SetBudget(f func(bytes int) error) { c.budget = f }

// release gives up the memory of a long payload.
func (c *Conn) release() {
	if cap(c.payload) <= payloadStep {
		return
	}
	c.payload = nil
	if c.budget != nil {
		_ = c.budget(0) // nothing is asked for
	}
}

// Take hands the payload of the last message over: it stays valid, and the budget is not
// given back, which is then the caller's to do.
func (c *Conn) Take() []byte {
	p := c.payload
	c.payload = nil
	return p
}

// Await blocks until the first byte of the next message is there; the last payload is
// no longer valid. Errors are those of the connection: io.EOF when the peer has closed,
// os.ErrDeadlineExceeded, also after Interrupt.
func (c *Conn) Await(deadline time.Time) error {
	c.release()
	if c.r.Buffered() > 0 {
		return nil
	}
	if err := c.beginAwait(deadline); err != nil {
		return err
	}
	_, err := c.r.Peek(1)
	c.waiting.Lock()
	c.awaiting = false
	c.waiting.Unlock()
	return err
}

func (c *Conn) beginAwait(deadline time.Time) error {
	c.waiting.Lock()
	defer c.waiting.Unlock()
	if c.interrupted {
		return os.ErrDeadlineExceeded
	}
	c.awaiting = true
	return c.setReadDeadline(deadline)
}

// Interrupt ends an Await that waits, and every later one, with os.ErrDeadlineExceeded,
// until Resume. A message that is being read is not disturbed.
func (c *Conn) Interrupt() {
	c.waiting.Lock()
	defer c.waiting.Unlock()
	c.interrupted = true
	if c.awaiting {
		_ = c.setReadDeadline(past) // fails only if the connection has ended, and Await with it
	}
}

// Resume lets Await wait again.
func (c *Conn) Resume() {
	c.waiting.Lock()
	defer c.waiting.Unlock()
	c.interrupted = false
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// setReadDeadline lets a closed pipe pass: bytes may be buffered still, and after
// them Read says how it was closed (net.Pipe refuses deadlines once the peer is gone).
func (c *Conn) setReadDeadline(deadline time.Time) error {
	if err := c.conn.SetReadDeadline(deadline); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

// ReadMessage reads one message: the header and exactly its payload, which is valid
// until the next call or Await. io.EOF means that the peer closed between two messages,
// io.ErrUnexpectedEOF that it did inside one. With ErrPayloadTooLong, and with any
// error inside a payload, the header is returned too.
func (c *Conn) ReadMessage(deadline time.Time) (Header, []byte, error) {
	if err := c.setReadDeadline(deadline); err != nil {
		return Header{}, nil, err
	}
	var b [HeaderLen]byte
	if _, err := io.ReadFull(c.r, b[:]); err != nil {
		return Header{}, nil, err
	}
	h, _, err := ParseHeader(b[:])
	if err != nil {
		return Header{}, nil, err
	}
	if h.PayloadLen > c.maxPayload {
		return h, nil, fmt.Errorf("%s: %w: %d bytes, at most %d", h.Type, ErrPayloadTooLong, h.PayloadLen, c.maxPayload)
	}
	if err := c.readPayload(int(h.PayloadLen)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, fmt.Errorf("%s: %w", h.Type, err)
	}
	return h, c.payload, nil
}

// readPayload reads n bytes, giving memory as they come. A buffer that one large
// message has blown up is not kept for the small ones after it.
func (c *Conn) readPayload(n int) error {
	if n <= payloadStep {
		c.release()
	}
	c.payload = c.payload[:0]
	for len(c.payload) < n {
		have := len(c.payload)
		step := min(n-have, max(payloadStep, have))
		if cap(c.payload) < have+step {
			if c.budget != nil && have+step > payloadStep {
				if err := c.budget(have + step); err != nil {
					return err
				}
			}
			grown := make([]byte, have, have+step)
			copy(grown, c.payload)
			c.payload = grown
		}
		got, err := io.ReadFull(c.r, c.payload[have:have+step])
		c.payload = c.payload[:have+got]
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteMessage writes an encoded message whole, in one Write. Any goroutine may call
// it; one waits for the other, as long as that one's deadline allows. After a message
// that went out in part the peer cannot follow any more: later calls write nothing
// and return that error again.
func (c *Conn) WriteMessage(deadline time.Time, msg []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.cut != nil {
		return fmt.Errorf("write message: an earlier one was cut: %w", c.cut)
	}
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	n, err := c.conn.Write(msg)
	if err == nil && n < len(msg) {
		err = io.ErrShortWrite
	}
	if err != nil && n > 0 {
		c.cut = err
	}
	return err
}

// Close closes the connection underneath.
func (c *Conn) Close() error { return c.conn.Close() }
