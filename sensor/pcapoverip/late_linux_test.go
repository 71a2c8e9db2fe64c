package pcapoverip

import (
	"io"
	"net"
	"testing"
	"time"
)

// lateConn is a connection whose reader has no turn before the time for a request is over, as on a busy machine.
type lateConn struct {
	*net.TCPConn
	late bool
}

func (c *lateConn) Read(p []byte) (int, error) {
	if !c.late {
		c.late = true
		time.Sleep(2 * beginTimeout)
	}
	return c.TCPConn.Read(p)
}

// TestRequestInTheSocket: a request that came in time is obeyed, although nobody has read it in time. The same holds for the end
// of what a client sends.
func TestRequestInTheSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connect := func() (*lateConn, *net.TCPConn) {
		far := dial(t, l.Addr().String())
		near, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return &lateConn{TCPConn: near.(*net.TCPConn)}, far.(*net.TCPConn)
	}
	start := func(near *lateConn) *input {
		in := newInput(beginTimeout)
		go in.read(near)
		t.Cleanup(func() {
			_ = near.Close()
			<-in.done
		})
		return in
	}

	near, far := connect()
	if _, err := io.WriteString(far, "filter=tcp\n"); err != nil {
		t.Fatal(err)
	}
	in := start(near)
	select {
	case line := <-in.line:
		if string(line) != "filter=tcp" {
			t.Errorf("%q", line)
		}
	case <-in.mute:
		t.Error("the request was passed over")
	case <-time.After(waitLimit):
		t.Error("nothing was read")
	}

	near, far = connect()
	if err := far.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	in = start(near)
	select {
	case <-in.mute:
	case <-in.gone:
		t.Errorf("taken for gone: %v", in.err)
	case <-time.After(waitLimit):
		t.Error("its stream does not begin")
	}

	near, _ = connect()
	in = start(near)
	<-in.mute // nothing is there
}
