package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"rpcapd/udpstr"
)

// received is what has arrived of one capture.
type received struct {
	Datagrams   uint64 // that arrived
	Used        uint64 // of those, into the stream
	SocketDrops uint64 // by the kernel, for want of room in the receive buffer
	Intact      uint64 // frames
	Bad         uint64
	Disordered  uint64 // later than one with a higher number, or twice
	Missing     uint64 // of those that were packed
	Fault       string // what is wrong with the first bad one
	Delay       delay
	CPU         time.Duration // of the receiving process since its start
}

// collector receives one capture.
type collector interface {
	port() uint16
	// cpuTime is that of the receiving process.
	cpuTime() (time.Duration, error)
	// finish takes what is still there. The agent has ended the capture and says how
	// many frames it has packed in all.
	finish(packed uint64) (received, error)
}

// stream is the collector that this process has itself.
type stream struct {
	from     receiver
	checker  *checker
	together *udpstr.Reassembler
	arrival  time.Time // of the datagram in hand
	next     uint64    // number of the last frame, plus 1
	ending   atomic.Bool
	done     chan struct{}
	finished bool
	err      error // of the socket

	got   received
	delay histogram
}

// receiveStream begins to receive.
func receiveStream(from receiver, p profile) *stream {
	s := &stream{from: from, checker: newChecker(p), done: make(chan struct{})}
	s.together = udpstr.NewReassembler(udpstr.ReassemblerConfig{}, s.frame)
	go s.loop()
	return s
}

// loop ends when it is asked to and nothing more comes.
func (s *stream) loop() {
	defer close(s.done)
	for {
		last := s.ending.Load()
		n, err := s.from.receive()
		if err != nil {
			s.err = fmt.Errorf("receive: %w", err)
			return
		}
		if n == 0 && last {
			return
		}
		now := time.Now()
		for i := range n {
			var b []byte
			b, s.arrival = s.from.datagram(i)
			s.together.Datagram(b, now)
		}
		if at, ok := s.together.Deadline(); ok && now.After(at) {
			s.together.Expire(now)
		}
	}
}

func (s *stream) frame(p *udpstr.Packet) {
	number, err := s.checker.check(p.Data)
	if err == nil && int(p.Len) != len(p.Data) {
		err = fmt.Errorf("frame %d: length on the wire %d, captured %d", number, p.Len, len(p.Data))
	}
	if err != nil {
		s.got.Bad++
		if s.got.Fault == "" {
			s.got.Fault = err.Error()
		}
		return
	}
	s.got.Intact++
	if number < s.next {
		s.got.Disordered++
	} else {
		s.next = number + 1
	}
	if !s.arrival.IsZero() {
		s.delay.add(s.arrival.Sub(time.Unix(int64(p.Sec), int64(p.Usec)*1000)))
	}
}

func (s *stream) port() uint16 { return s.from.port() }

func (s *stream) cpuTime() (time.Duration, error) { return processClock(0) }

func (s *stream) finish(packed uint64) (received, error) {
	if s.finished {
		return s.got, s.err
	}
	s.finished = true
	s.ending.Store(true)
	<-s.done
	defer s.from.close()
	if s.err != nil {
		return s.got, s.err
	}
	s.together.Flush()
	n := s.together.Counters()
	g := &s.got
	g.Datagrams, g.Used, g.SocketDrops = n.Datagrams, n.InOrder+n.Reordered, s.from.drops()
	g.Missing = n.Missing + s.together.Tail(uint32(packed))
	g.Delay = s.delay.delay()
	g.CPU, s.err = processClock(0)
	return s.got, s.err
}
