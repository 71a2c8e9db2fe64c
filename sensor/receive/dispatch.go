package receive

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/address"
)

// run receives until the socket is closed.
func (p *dataPort) run() {
	var deadline time.Time
	failures := 0
	for {
		n, err := p.sock.Receive(deadline)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
			failures = 0
		default:
			failures++
			p.repeats.Once(p.log, err.Error(), zap.WarnLevel, "data port cannot receive", zap.Uint16("port", p.port), zap.Error(err))
			time.Sleep(min(time.Duration(failures)*time.Millisecond, time.Second)) // an error that repeats must not spin
		}
		deadline = p.batch(n, time.Now())
		// On one CPU a full receive buffer would be read in one go, and the queues of the sinks run over before those who
		// empty them get their turn.
		runtime.Gosched()
	}
}

// batch works through n datagrams and returns when the next one held back is due.
func (p *dataPort) batch(n int, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var last *stream
	var lastSrc netip.AddrPort
	for i := 0; i < n; i++ {
		if k := p.together(i, now); k > 0 {
			i += k - 1
			continue
		}
		src, b := p.sock.Datagram(i)
		if last == nil || src != lastSrc {
			var held bool
			if last, held = p.find(src, b, now); held {
				continue
			}
			lastSrc = src
		}
		if last == nil {
			p.foreign++
			continue
		}
		if !last.path.state.settled() {
			p.second(last, b)
		}
		last.datagram(b, now)
		p.time(last)
	}
	return p.expire(now)
}

// together takes the datagrams from i on that receive offload has joined, if they belong to a stream of which nothing is to be
// found out. It returns how many these are; with 0 they are looked at one by one.
func (p *dataPort) together(i int, now time.Time) int {
	if p.runs == nil {
		return 0
	}
	src, run, size, n := p.runs.Run(i)
	if n < 2 {
		return 0
	}
	s := p.bySrc[src]
	if s == nil || !s.takesRuns() {
		return 0
	}
	s.run(run, size, n, now)
	p.time(s)
	return n
}

// find returns the stream a datagram belongs to, that of a known source or what unknown finds; nil if it is foreign. held is
// set, with nil, if that is not decided yet.
func (p *dataPort) find(src netip.AddrPort, b []byte, now time.Time) (s *stream, held bool) {
	src = netip.AddrPortFrom(address.Plain(src.Addr()), src.Port())
	if s := p.bySrc[src]; s != nil {
		return s, false
	}
	return p.unknown(src, b, now)
}

// expire gives up waiting where it is time and returns the earliest deadline left. Candidates come first: what is held
// of one makes the stream wait that it becomes the path of.
func (p *dataPort) expire(now time.Time) (next time.Time) {
	if len(p.candidates.of) > 0 {
		next = p.settle(now)
	}
	keep := p.timed[:0]
	for _, s := range p.timed {
		if _, ok := s.deadline(); ok {
			s.expire(now)
		}
		d, ok := s.deadline()
		if !ok { // or the stream is finished
			s.timed = false
			continue
		}
		keep = append(keep, s)
		if next.IsZero() || d.Before(next) {
			next = d
		}
	}
	clear(p.timed[len(keep):])
	p.timed = keep
	return next
}
