package main

import (
	"fmt"
	"net"
	"time"

	"golang.org/x/net/bpf"

	"rpcapd/rpcap"
)

// session is the sensor's side of a control connection.
type session struct{ conn *rpcap.Conn }

// acceptAgent waits for an agent and asks it for all that precedes a capture of cap0.
func acceptAgent(l *net.TCPListener) (*session, error) {
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	c, err := l.Accept()
	if err != nil {
		return nil, err
	}
	s := &session{rpcap.NewConn(c, rpcap.MaxReplyAccepted)}
	for _, message := range [][]byte{
		rpcap.AuthRequest{Type: rpcap.AuthNull}.Append(nil),
		rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest),
		rpcap.OpenRequest{Name: "cap0"}.Append(nil),
	} {
		if _, err := s.ask(message); err != nil {
			s.conn.Close()
			return nil, err
		}
	}
	return s, nil
}

// ask sends a request and returns the payload of its reply, valid until the next one.
func (s *session) ask(message []byte) ([]byte, error) {
	request, _, err := rpcap.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(patience)
	if err := s.conn.WriteMessage(deadline, message); err != nil {
		return nil, fmt.Errorf("%v: %w", request.Type, err)
	}
	h, payload, err := s.conn.ReadMessage(deadline)
	if err != nil {
		return nil, fmt.Errorf("reply to %v: %w", request.Type, err)
	}
	if h.Type == rpcap.TypeError {
		refusal, err := rpcap.ParseError(h, payload)
		if err == nil {
			err = refusal
		}
		return nil, fmt.Errorf("%v: %w", request.Type, err)
	}
	if h.Type != request.Type.Reply() {
		return nil, fmt.Errorf("%v was answered with %v", request.Type, h.Type)
	}
	return payload, nil
}

// startCapture asks for the numbered frames, in datagrams to a port.
func (s *session) startCapture(port uint16) error {
	filter, err := toDiscard()
	if err != nil {
		return err
	}
	_, err = s.ask(rpcap.StartCaptureRequest{
		Snaplen: rpcap.MaxSnaplen, ReadTimeout: 100, Flags: rpcap.FlagPromiscuous | rpcap.FlagDatagram,
		DataPort: port, Filter: filter,
	}.Append(nil))
	return err
}

func (s *session) endCapture() error {
	_, err := s.ask(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
	return err
}

func (s *session) stats() (rpcap.StatsReply, error) {
	payload, err := s.ask(rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest))
	if err != nil {
		return rpcap.StatsReply{}, err
	}
	r, _, err := rpcap.ParseStatsReply(payload)
	return r, err
}

// drained waits until the agent has taken out of its ring what came into it.
func (s *session) drained() error {
	const between = 50 * time.Millisecond // the ring hands over a block that is not full after 12
	for limit := time.Now().Add(patience); ; {
		time.Sleep(between)
		n, err := s.stats()
		if err != nil {
			return err
		}
		if n.IfRecv == n.KernelDrop+n.Captured {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("the agent does not catch up: %+v", n)
		}
	}
}

// toDiscard is a filter for IPv4 without options, UDP to the discard port.
func toDiscard() (rpcap.Program, error) {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x0800, SkipTrue: 5},
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 17, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 36, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: discardPort, SkipTrue: 1},
		bpf.RetConstant{Val: rpcap.MaxSnaplen},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		return nil, err
	}
	p := make(rpcap.Program, len(raw))
	for i, x := range raw {
		p[i] = rpcap.Instruction{Op: x.Op, Jt: x.Jt, Jf: x.Jf, K: x.K}
	}
	return p, nil
}
