package udpsock

import (
	"time"

	"golang.org/x/sys/unix"
)

func (s *Sender) send(run []byte, size int, wait time.Duration) (done int, err error) {
	a := attempt{wait: wait}
	if s.Refused() != 0 {
		if n := (len(run) + size - 1) / size; s.hold(&a, n) {
			return n, nil
		}
	}
	for len(run) > 0 {
		n, tried, errno := s.sendPart(run, size, &a)
		if errno == 0 {
			s.progress(&a)
		} else {
			f := failure{tried: tried, left: (len(run) + size - 1) / size, size: min(size, len(run))}
			if n, err = s.recover(&a, errno, f); err != nil {
				return done + n, err
			}
		}
		done += n
		run = run[min(n*size, len(run)):]
	}
	return done, nil
}

// sendPart makes one system call and returns how many datagrams of the run the kernel took. If it took none, errno says why
// and tried how many of them the answer is about.
func (s *Sender) sendPart(run []byte, size int, a *attempt) (n, tried int, errno unix.Errno) {
	if len(run) <= size || a.alone {
		return 1, 1, s.sendLast(run[:min(size, len(run))])
	}
	if n := s.superSize(len(run), size); n > 1 && !a.single {
		return n, n, s.sendSuper(run[:min(n*size, len(run))], size, n)
	}
	n, errno = s.sendEach(s.batch.holdRun(run, size))
	return n, 1, errno
}

func (s *Sender) sendSuper(run []byte, size, n int) unix.Errno {
	errno := s.call.sendmsg(s.fd, s.super.hold(run, size))
	if errno == 0 {
		s.refused = 0
		s.counters.superPackets.Add(1)
		s.counters.sent(n, len(run))
	}
	return errno
}

// sendLast sends one datagram.
func (s *Sender) sendLast(datagram []byte) unix.Errno {
	errno := s.call.sendmsg(s.fd, s.super.hold(datagram, len(datagram)))
	if errno == 0 {
		s.counters.sent(1, len(datagram))
	}
	return errno
}

// sendEach sends datagrams with one system call and returns how many of them the kernel took, and why not the first if it
// did not take that one.
func (s *Sender) sendEach(m []message) (int, unix.Errno) {
	n, errno := s.call.sendmmsg(s.fd, m)
	if errno != 0 {
		return 0, errno
	}
	if n == 0 {
		return 0, unix.EAGAIN // never seen; no reason to go round for ever
	}
	if n < len(m) {
		s.counters.partialSends.Add(1)
	}
	bytes := 0
	for i := range m[:n] {
		bytes += int(m[i].length)
	}
	s.counters.sent(n, bytes)
	return n, 0
}

func (s *Sender) sendMany(datagrams [][]byte, wait time.Duration) (done int, err error) {
	a := attempt{wait: wait}
	if s.Refused() != 0 && s.hold(&a, len(datagrams)) {
		return len(datagrams), nil
	}
	for done < len(datagrams) {
		rest := datagrams[done:]
		next := rest
		if a.alone {
			next = rest[:1]
		}
		n, errno := s.sendEach(s.batch.holdMany(next))
		if errno != 0 {
			if n, err = s.recover(&a, errno, failure{tried: 1, left: len(rest), size: len(rest[0])}); err != nil {
				return done + n, err
			}
		} else {
			s.progress(&a)
		}
		done += n
	}
	return done, nil
}
