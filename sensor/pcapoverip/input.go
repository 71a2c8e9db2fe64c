package pcapoverip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxIgnored bounds what a client may send that nobody asked for.
const maxIgnored = 64 << 10

var (
	errLate   = fmt.Errorf("its request came later than %v after it had connected, when its stream had begun", beginTimeout)
	errTLS    = errors.New("it uses TLS, and this port does not; give the output Certificate and Key, or use a client without TLS")
	errBabble = errors.New("it sends unexpected data")
)

// The phases of a connection. Whoever changes them does so once.
const (
	phaseSilent    int32 = iota // nothing has come yet
	phaseAsking                 // a request has begun: the client gets nothing before it is complete
	phaseStreaming              // the time for a request is over
)

// input is the one goroutine that reads from a client: the request, then only the end of the connection.
type input struct {
	phase atomic.Int32
	begin time.Duration // the time for a request
	deaf  bool          // no request is expected, and what comes is passed over: dialed out
	begun chan struct{} // closed when a request begins
	mute  chan struct{} // closed when there is none: the time for it is over, or the client sends nothing more
	line  chan []byte   // capacity 1: the request without its end
	gone  chan struct{} // closed when the client has gone
	ended chan struct{} // closed when nothing is read any more
	done  chan struct{} // closed when read has returned

	once sync.Once
	err  error // why gone was closed; readable after that
}

func newInput(begin time.Duration) *input {
	return &input{
		begin: begin,
		begun: make(chan struct{}), mute: make(chan struct{}), line: make(chan []byte, 1),
		gone: make(chan struct{}), ended: make(chan struct{}), done: make(chan struct{}),
	}
}

// lose closes gone.
func (in *input) lose(err error) {
	in.once.Do(func() {
		in.err = err
		close(in.gone)
	})
}

// read works until the connection ends. A client that has closed its own direction before its stream began may still read.
func (in *input) read(conn net.Conn) {
	defer close(in.done)
	if in.receive(conn) {
		in.silent()
		in.awaitReset(conn)
		return
	}
	close(in.ended)
}

// receive reads until the end. half says that the client has closed its own direction only.
func (in *input) receive(conn net.Conn) (half bool) {
	var asking []byte
	ignored := 0
	buf := make([]byte, 1024)
	if !in.deaf {
		_ = conn.SetReadDeadline(time.Now().Add(in.begin)) // a closed connection says so when it is read
	}
	for {
		n, err := conn.Read(buf)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			in.decide(conn)
			continue
		}
		fresh := buf[:n]
		if n > 0 && !in.deaf && in.phase.CompareAndSwap(phaseSilent, phaseAsking) {
			_ = conn.SetReadDeadline(time.Time{})
			asking = make([]byte, 0, len(buf))
			close(in.begun)
		}
		switch {
		case in.deaf:
		case asking != nil:
			asking = append(asking, fresh...)
			line, _, found := bytes.Cut(asking, []byte("\n"))
			if found || err != nil || len(asking) > maxRequest || isTLS(asking) {
				in.line <- line
				asking = nil
			}
		case in.phase.Load() == phaseStreaming && len(bytes.TrimSpace(fresh)) > 0:
			in.lose(errLate)
			return false
		default:
			if ignored += len(fresh); ignored > maxIgnored {
				in.lose(errBabble)
				return false
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && in.phase.Load() != phaseStreaming:
			return true
		case errors.Is(err, io.EOF):
			in.lose(errGone)
			return false
		default:
			in.lose(err)
			return false
		}
	}
}

// lookAgain is the pause after a look that has found something to read.
const lookAgain = 10 * time.Millisecond

// decide is called when the time for a request is over. On a busy machine, this goroutine may have had no turn while the
// request waited in the socket. Then Read returns the request next.
func (in *input) decide(conn net.Conn) {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok && waiting(c.NetConn()) || waiting(conn) {
		_ = conn.SetReadDeadline(time.Now().Add(lookAgain)) // with TLS, it may be no data
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	in.silent()
}

// silent begins the stream of a client that has sent nothing.
func (in *input) silent() {
	if in.phase.CompareAndSwap(phaseSilent, phaseStreaming) {
		close(in.mute)
	}
}

// resetEvery is how often a connection whose other end has said all it has to say is looked at.
const resetEvery = 50 * time.Millisecond

// awaitReset waits for the real end of a client that has closed its own direction before its stream began. One that only
// reads has not closed the other direction; one that has gone, such as a probe of the port, answers the first bytes with a
// reset.
func (in *input) awaitReset(conn net.Conn) {
	close(in.ended)
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	tick := time.NewTicker(resetEvery)
	defer tick.Stop()
	for range tick.C {
		if err := resetOf(conn); err != nil { // also when this end has closed it
			in.lose(errGone)
			return
		}
	}
}

// isTLS recognizes the beginning of a TLS handshake.
func isTLS(b []byte) bool { return len(b) >= 3 && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 }
