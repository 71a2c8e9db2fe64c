package agent

import (
	"time"

	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

const (
	// shedWindow is the time over which the cost of forwarding is measured.
	shedWindow = time.Second
	// shedMost is the rarest sampling that MaxCPU leads to.
	shedMost = 1000
	// shedCalm is the share of the limit below which a window is calm; after
	// shedCalmWindows of them sampling becomes denser again. Between the two it stays,
	// or it would swing.
	shedCalm        = 0.75
	shedCalmWindows = 3
)

// shedder is MaxCPU: while forwarding costs more than the limit it keeps one frame of
// N, with N following the cost. What it leaves out is counted exactly.
type shedder struct {
	cpu     func() time.Duration // CPU time of the process so far
	sampler sampler
	n       uint64 // one in n frames is kept; 1: all
	calm    int    // calm windows in a row

	began time.Time // of the window
	used  time.Duration
}

func newShedder(cpu func() time.Duration) shedder { return shedder{cpu: cpu, n: 1} }

// keep compacts frames to those that are forwarded.
func (s *shedder) keep(frames []udpstr.Frame) []udpstr.Frame {
	if s.n <= 1 {
		return frames
	}
	return s.sampler.oneInN(frames)
}

// adjust is called with each block and at least once a second; limit is in percent
// of one core, 0 for none. It returns true when N changed.
func (s *shedder) adjust(limit float64, now time.Time) bool {
	elapsed := now.Sub(s.began)
	if elapsed < shedWindow {
		return false
	}
	used := s.cpu()
	share := 100 * float64(used-s.used) / float64(elapsed)
	first := s.began.IsZero()
	s.began, s.used = now, used
	switch {
	case limit <= 0:
		return s.set(1)
	case first:
		return false
	case share > limit:
		s.calm = 0
		return s.set(max(s.n+1, uint64(float64(s.n)*share/limit)+1))
	case share < shedCalm*limit && s.n > 1:
		if s.calm++; s.calm >= shedCalmWindows {
			s.calm = 0
			return s.set(s.n * 3 / 4)
		}
	default:
		s.calm = 0
	}
	return false
}

func (s *shedder) set(n uint64) bool {
	n = min(max(n, 1), shedMost)
	if n == s.n {
		return false
	}
	s.n = n
	s.sampler.method, s.sampler.n = rpcap.SamplingOneInN, n
	s.sampler.skip = min(s.sampler.skip, n-1)
	return true
}
