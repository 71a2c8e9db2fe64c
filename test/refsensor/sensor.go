package refsensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Types of messages; a reply is its request with bit 7 set.
const (
	findAll      = 2
	open         = 3
	startCapture = 4
	authenticate = 8
	statistics   = 9
	endCapture   = 10
	reply        = 0x80
)

const (
	answerLimit = 10 * time.Second
	// receiveBuffer is asked for the data port, bytes.
	receiveBuffer = 32 << 20
	readLimit     = 1 << 20 // payload of a message, bytes
)

// toDiscard accepts IPv4 UDP to port 9, and no later fragments: opcode, jt, jf, k.
var toDiscard = [][4]uint32{
	{0x28, 0, 0, 12}, {0x15, 0, 8, 0x0800}, // ldh [12]
	{0x30, 0, 0, 23}, {0x15, 0, 6, 17}, // ldb [23]
	{0x28, 0, 0, 20}, {0x45, 4, 0, 0x1fff}, // ldh [20]
	{0xb1, 0, 0, 14}, // ldxb 4*([14]&0xf)
	{0x48, 0, 0, 16}, // ldh [x + 16]
	{0x15, 0, 1, discard},
	{0x06, 0, 0, 262144},
	{0x06, 0, 0, 0},
}

// Sensor waits for one agent. Make it inside the network namespace where it belongs.
type Sensor struct {
	listener net.Listener
	data     *net.UDPConn
}

// Listen opens the control port, and a data port that the system chooses.
func Listen(control string) (*Sensor, error) {
	l, err := net.Listen("tcp", control)
	if err != nil {
		return nil, err
	}
	data, err := net.ListenUDP("udp", nil)
	if err != nil {
		l.Close()
		return nil, err
	}
	if err := enlarge(data, receiveBuffer); err != nil {
		l.Close()
		data.Close()
		return nil, fmt.Errorf("enlarge receive buffer: %w", err)
	}
	return &Sensor{listener: l, data: data}, nil
}

// Close ends everything.
func (s *Sensor) Close() {
	s.listener.Close()
	s.data.Close()
}

// Result is what arrived.
type Result struct {
	Datagrams, Bytes    uint64
	Lost, Late, Garbage uint64 // datagrams
	Frames, Intact      uint64
	Twice, Disordered   uint64 // frames that came before, or after a later one
	Misnumbered         uint64 // frames whose npkt is not that of the last one plus 1
	FirstFault          error
	// The agent's own numbers after the end of the capture.
	Received, InterfaceDrops, KernelDrops, Captured uint32
}

// Expectation is what a capture is to bring.
type Expectation struct {
	Interface string
	Frames    uint64 // numbered 0, 1, …
	Size      int    // of each, bytes
	// Idle ends the capture when nothing comes for so long.
	Idle time.Duration
}

// Serve accepts an agent, calls ready when its capture runs, and ends the capture when
// all frames have arrived or none come any more.
func (s *Sensor) Serve(want Expectation, ready func()) (*Result, error) {
	conn, err := s.listener.Accept()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, step := range []struct {
		kind    byte
		payload []byte
	}{
		{authenticate, make([]byte, 8)},
		{findAll, nil},
		{open, []byte(want.Interface)},
		{startCapture, s.startRequest()},
	} {
		if _, err := ask(conn, step.kind, step.payload); err != nil {
			return nil, err
		}
	}
	ready()
	r, err := s.receive(want)
	if err != nil {
		return nil, err
	}
	if _, err := ask(conn, endCapture, nil); err != nil {
		return nil, err
	}
	numbers, err := ask(conn, statistics, nil)
	if err != nil {
		return nil, err
	}
	if len(numbers) < 16 {
		return nil, fmt.Errorf("statistics of %d bytes", len(numbers))
	}
	for i, v := range []*uint32{&r.Received, &r.InterfaceDrops, &r.KernelDrops, &r.Captured} {
		*v = binary.BigEndian.Uint32(numbers[4*i:])
	}
	return r, nil
}

func (s *Sensor) startRequest() []byte {
	const promiscuous, datagrams = 1, 2
	var b []byte
	b = binary.BigEndian.AppendUint32(b, 262144) // snap length
	b = binary.BigEndian.AppendUint32(b, 100)    // read time-out, ms
	b = binary.BigEndian.AppendUint16(b, promiscuous|datagrams)
	b = binary.BigEndian.AppendUint16(b, uint16(s.data.LocalAddr().(*net.UDPAddr).Port))
	b = append(b, 0, 1, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(toDiscard)))
	for _, i := range toDiscard {
		b = binary.BigEndian.AppendUint16(b, uint16(i[0]))
		b = append(b, byte(i[1]), byte(i[2]))
		b = binary.BigEndian.AppendUint32(b, i[3])
	}
	return b
}

// ask sends a request and returns the payload of its reply.
func ask(conn net.Conn, kind byte, payload []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return nil, err
	}
	message := binary.BigEndian.AppendUint32([]byte{0, kind, 0, 0}, uint32(len(payload)))
	if _, err := conn.Write(append(message, payload...)); err != nil {
		return nil, fmt.Errorf("request %d: %w", kind, err)
	}
	var h [8]byte
	if _, err := io.ReadFull(conn, h[:]); err != nil {
		return nil, fmt.Errorf("reply to request %d: %w", kind, err)
	}
	size := binary.BigEndian.Uint32(h[4:])
	if size > readLimit {
		return nil, fmt.Errorf("reply to request %d has %d bytes", kind, size)
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, fmt.Errorf("reply to request %d: %w", kind, err)
	}
	if h[0] != 0 || h[1] != kind|reply {
		return nil, fmt.Errorf("request %d was answered with type %d: %q", kind, h[1], answer[:min(len(answer), 255)])
	}
	return answer, nil
}

// receive reads the data port.
func (s *Sensor) receive(want Expectation) (*Result, error) {
	r := &Result{}
	t := tally{want: want, seen: make([]bool, want.Frames), result: r}
	var in stream
	buf := make([]byte, 1<<16)
	limit := answerLimit // for the first datagram
	for r.Frames < want.Frames {
		if r.Datagrams%64 == 0 { // not a system call for each
			if err := s.data.SetReadDeadline(time.Now().Add(limit)); err != nil {
				return nil, err
			}
		}
		n, err := s.data.Read(buf)
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			break
		}
		if err != nil {
			return nil, err
		}
		limit = want.Idle
		r.Datagrams++
		r.Bytes += uint64(n)
		in.datagram(buf[:n], t.frame)
	}
	r.Lost, r.Late, r.Garbage = in.lost, in.late, in.garbage
	return r, nil
}

// tally checks the frames of a capture.
type tally struct {
	want   Expectation
	seen   []bool
	last   uint64 // number of the last frame, plus 1
	npkt   uint32
	result *Result
}

func (t *tally) frame(c captured) {
	r := t.result
	r.Frames++
	if c.number != t.npkt+1 {
		r.Misnumbered++
	}
	t.npkt = c.number
	number, err := Check(c.data, t.want.Size)
	switch {
	case err == nil && int(c.length) != t.want.Size:
		err = fmt.Errorf("frame %d: length on the wire %d", number, c.length)
	case err == nil && number >= uint64(len(t.seen)):
		err = fmt.Errorf("frame %d: only %d were sent", number, len(t.seen))
	}
	if err != nil {
		if r.FirstFault == nil {
			r.FirstFault = err
		}
		return
	}
	if t.seen[number] {
		r.Twice++
		return
	}
	t.seen[number] = true
	r.Intact++
	if number < t.last {
		r.Disordered++
	}
	t.last = number + 1
}
