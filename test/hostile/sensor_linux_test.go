package hostile

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rpcapd/rpcap"
)

// scripted is a sensor that a test makes say what it likes.
type scripted struct {
	t    *testing.T
	conn net.Conn
	wire *rpcap.Conn
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func port(l *net.TCPListener) int { return l.Addr().(*net.TCPAddr).Port }

// line is the ActiveClient line that leads to a listener.
func line(l *net.TCPListener, more string) string {
	return fmt.Sprintf("ActiveClient = 127.0.0.1, %d%s\n", port(l), more)
}

func accept(t *testing.T, l *net.TCPListener) *scripted {
	t.Helper()
	l.SetDeadline(time.Now().Add(patience))
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("no agent dialed: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return &scripted{t: t, conn: c, wire: rpcap.NewConn(c, rpcap.MaxReplyAccepted)}
}

// ask sends a message and returns the type of the answer.
func (s *scripted) ask(msg []byte) (rpcap.Header, []byte) {
	s.t.Helper()
	if err := s.wire.WriteMessage(time.Now().Add(patience), msg); err != nil {
		s.t.Fatal(err)
	}
	h, payload, err := s.wire.ReadMessage(time.Now().Add(patience))
	if err != nil {
		s.t.Fatal(err)
	}
	return h, payload
}

// gets asks and expects an answer of a type.
func (s *scripted) gets(want rpcap.Type, msg []byte) []byte {
	s.t.Helper()
	h, payload := s.ask(msg)
	if h.Type != want {
		s.t.Fatalf("the answer is %s (%s), want %s", h.Type, payload, want)
	}
	return payload
}

func (s *scripted) authenticate() {
	s.t.Helper()
	s.gets(rpcap.TypeAuthReply, rpcap.AuthRequest{}.Append(nil))
}

func (s *scripted) open(name string) {
	s.t.Helper()
	s.gets(rpcap.TypeOpenReply, rpcap.OpenRequest{Name: name}.Append(nil))
}

func startRequest(port int, flags rpcap.StartCaptureFlags, f rpcap.Program) []byte {
	return rpcap.StartCaptureRequest{Snaplen: 65535, Flags: flags, DataPort: uint16(port), Filter: f}.Append(nil)
}

// capture starts and ends one.
func (s *scripted) capture(port int) {
	s.t.Helper()
	s.gets(rpcap.TypeStartCaptureReply, startRequest(port, rpcap.FlagDatagram, rpcap.AcceptAll()))
	s.gets(rpcap.TypeEndCaptureReply, rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
}

func message(version uint8, typ rpcap.Type, payload []byte) []byte {
	return append(rpcap.Header{Version: version, Type: typ, PayloadLen: uint32(len(payload))}.Append(nil), payload...)
}

// openData opens a UDP port that takes everything.
func openData(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 65536)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// captureFile makes a pcap file of n frames of 100 bytes.
func captureFile(t *testing.T, n int) string {
	t.Helper()
	return write(t, "traffic.pcap", captureBytes(n))
}

// liveCapture is a capture file that does not end before the test: a pipe that is held open.
func liveCapture(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(write(t, "dir", nil)), "traffic.pcap")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) // does not wait for the reader
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(captureBytes(n)); err != nil {
		t.Fatal(err)
	}
	return path
}

func captureBytes(n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0)
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, 1_700_000_000)
		b = binary.LittleEndian.AppendUint32(b, uint32(i))
		b = append(b, 100, 0, 0, 0, 100, 0, 0, 0)
		b = append(b, make([]byte, 100)...)
	}
	return b
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hostile-") // where the agent can look though it is somebody else
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
