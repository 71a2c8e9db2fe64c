package uplink

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"rpcapd/udpstr"
)

// probeSocket is a socket that is connected to one data port, as the agent's is: what ICMP says of it shows as an error.
type probeSocket struct {
	conn  *net.UDPConn
	token uint64

	mu      sync.Mutex
	echoed  map[uint32]bool // by number
	trouble error           // the last error of the socket, of this host or of ICMP
	arrived chan struct{}   // an echo or an error is new
}

func dialProbes(to netip.AddrPort, token uint64) (*probeSocket, error) {
	d := net.Dialer{Control: dontFragment}
	c, err := d.Dial("udp", to.String())
	if err != nil {
		return nil, err
	}
	s := &probeSocket{conn: c.(*net.UDPConn), token: token, echoed: make(map[uint32]bool), arrived: make(chan struct{}, 1)}
	go s.read()
	return s, nil
}

func (s *probeSocket) close() { s.conn.Close() }

// read notes what comes back, until the socket is closed.
func (s *probeSocket) read() {
	buf := make([]byte, udpstr.MaxProbe+1)
	for {
		n, err := s.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.mu.Lock()
		if err != nil {
			s.trouble = err
		} else if p, ok := udpstr.ParseProbe(buf[:n]); ok && p.Echo && p.Token == s.token {
			s.echoed[p.Number] = true
		}
		s.mu.Unlock()
		select {
		case s.arrived <- struct{}{}:
		default:
		}
		if err != nil {
			time.Sleep(time.Millisecond) // an error that stays must not spin
		}
	}
}

// send sends one probe. A failure is noted, too: that of a datagram before, by ICMP, costs one attempt.
func (s *probeSocket) send(size int, number uint32) {
	b := udpstr.Probe{Size: size, Number: number, Token: s.token}.Append(nil)
	for range 2 {
		_, err := s.conn.Write(b)
		if err == nil {
			return
		}
		s.note(err)
		if errors.Is(err, syscall.EMSGSIZE) {
			return
		}
	}
}

func (s *probeSocket) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = err
}

// err is the last error, without what package net puts in front.
func (s *probeSocket) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errno syscall.Errno
	if errors.As(s.trouble, &errno) {
		return errno
	}
	if call := (*os.SyscallError)(nil); errors.As(s.trouble, &call) {
		return call.Err
	}
	return s.trouble
}

// back says how many of the numbers from first on have come back.
func (s *probeSocket) back(first uint32, n int) (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		if s.echoed[first+uint32(i)] {
			count++
		}
	}
	return count
}

// await waits until the numbers have come back, at most a while.
func (s *probeSocket) await(first uint32, n int, d time.Duration) int {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		if count := s.back(first, n); count == n {
			return count
		}
		select {
		case <-s.arrived:
		case <-timer.C:
			return s.back(first, n)
		}
	}
}
