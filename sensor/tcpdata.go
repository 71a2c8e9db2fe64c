package sensor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// errUDPStrOverTCP is what ExtraHop's agent does with a TCP data connection unless it is started with -t 0.
var errUDPStrOverTCP = errors.New("the agent sends udpstr blocks over TCP, which have no framing and are not supported; " +
	"start it with -t 0, or use UDP")

// tcpData is a listener for one TCP data connection and the connection itself. The agent opens it before it replies to
// STARTCAP. What comes is PACKET messages back to back.
type tcpData struct {
	listener *net.TCPListener
	port     uint16
	log      *zap.Logger
	done     chan struct{} // closed when no more frames can come; err is set before
	err      error
	wg       sync.WaitGroup

	mu     sync.Mutex // guards the stream and conn
	stream *stream
	conn   net.Conn
	closed bool
}

// listenTCPData listens on a port of the data range that is free for TCP.
func listenTCPData(o *Options, s *stream, log *zap.Logger) (*tcpData, error) {
	addr := o.Listen
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	var last error
	for i := range o.Data.Count {
		number := o.Data.First
		if number != 0 {
			number += uint16(i)
		}
		l, err := listenTCP(netip.AddrPortFrom(addr, number))
		if err != nil {
			last = err
			continue
		}
		return &tcpData{
			listener: l, port: addrPort(l.Addr()).Port(), log: log, done: make(chan struct{}), stream: s,
		}, nil
	}
	return nil, fmt.Errorf("no TCP port of the data range is free: %w", last)
}

// start begins to accept and read.
func (t *tcpData) start() { t.wg.Go(t.run) }

// connected reports whether the agent's connection has come.
func (t *tcpData) connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

// close ends run and waits for it.
func (t *tcpData) close() {
	_ = t.listener.Close() // closed already once the connection is there
	t.mu.Lock()
	t.closed = true
	conn := t.conn
	t.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
	t.wg.Wait()
}

func (t *tcpData) run() {
	conn, err := t.accept()
	if err != nil {
		t.end(err)
		return
	}
	r := bufio.NewReaderSize(conn, 64<<10)
	err = t.read(r)
	t.end(err)
	if !errors.Is(err, io.EOF) {
		// Closing would kill ExtraHop's agent; what it sends before ENDCAP is thrown away.
		_, _ = io.Copy(io.Discard, r)
	}
}

// end tells the session.
func (t *tcpData) end(err error) {
	t.err = err
	close(t.done)
}

// accept takes the first connection from the agent's address and closes the listener.
func (t *tcpData) accept() (net.Conn, error) {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("accept data connection: %w", err)
		}
		src := addrPort(conn.RemoteAddr())
		t.mu.Lock()
		ok := src.Addr() == t.stream.agent && !t.closed
		if ok {
			t.conn = conn
			t.stream.sources = []netip.AddrPort{src}
			t.stream.begin(formatPlain)
		}
		t.mu.Unlock()
		if !ok {
			_ = conn.Close() // a stranger's
			continue
		}
		_ = t.listener.Close() // one connection is all there is
		return conn, nil
	}
}

// read takes messages until the connection ends or is out of step. plen is modulo 65536 at both C agents; caplen holds.
func (t *tcpData) read(r *bufio.Reader) error {
	buf := make([]byte, rpcap.PacketHeaderLen, 4096)
	limit := min(t.stream.source.Snaplen+vlanSlack, rpcap.MaxSnaplen)
	for {
		buf = buf[:rpcap.PacketHeaderLen]
		if _, err := io.ReadFull(r, buf[:rpcap.HeaderLen]); err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if buf[0] == 0 && buf[1] == udpstr.Type {
			return errUDPStrOverTCP
		}
		if buf[0] != 0 || buf[1] != byte(rpcap.TypePacket) {
			return fmt.Errorf("read message: version %d, type %d is no PACKET", buf[0], buf[1])
		}
		if _, err := io.ReadFull(r, buf[rpcap.HeaderLen:]); err != nil {
			return fmt.Errorf("read packet header: %w", err)
		}
		caplen := be32(buf[16:])
		if caplen > limit {
			return fmt.Errorf("read packet header: caplen %d is above the snap length %d", caplen, t.stream.source.Snaplen)
		}
		if plen := be32(buf[4:]); uint16(plen) != uint16(udpstr.PacketHeaderLen+caplen) {
			return fmt.Errorf("read packet header: payload length %d does not agree with caplen %d", plen, caplen)
		}
		total := rpcap.PacketHeaderLen + int(caplen)
		if cap(buf) < total {
			buf = append(make([]byte, 0, total), buf...)
		}
		buf = buf[:total]
		if _, err := io.ReadFull(r, buf[rpcap.PacketHeaderLen:]); err != nil {
			return fmt.Errorf("read frame: %w", err)
		}
		t.mu.Lock()
		t.stream.message(buf, time.Now())
		t.mu.Unlock()
	}
}
