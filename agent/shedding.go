package agent

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// sheddingQuiet is how long nothing must be shed until that is said. A load about as high as MaxCPU
// allows makes shedding come and go each few seconds, which was 797 lines an hour for each capture.
const sheddingQuiet = time.Minute

// shedding tells of load shedding by all captures of the agent: that it has begun, and that it is over.
// What happens in between is counted, and in the status of each capture.
type shedding struct {
	log *zap.Logger

	mu       sync.Mutex
	active   int         // captures that shed
	episodes uint64      // times that the first of them began
	said     bool        // that it has begun, and not yet that it is over
	since    uint64      // episodes when it was said
	over     *time.Timer // says that it is over; runs while nothing is shed
}

// change is called when a capture keeps one in n frames now, and one in before until now.
func (s *shedding) change(before, n uint64) {
	if (before > 1) == (n > 1) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n <= 1 {
		if s.active--; s.active == 0 {
			episode := s.episodes
			s.over = time.AfterFunc(sheddingQuiet, func() { s.quiet(episode) })
		}
		return
	}
	if s.active++; s.active > 1 {
		return
	}
	s.stop()
	s.episodes++
	if !s.said {
		s.said, s.since = true, s.episodes
		s.log.Warn("shedding load: forwarding costs more than MaxCPU; the status shows how much is left out", zap.Uint64("one_in", n))
	}
}

// quiet says that it is over, if nothing has been shed since an episode ended. It needs no capture: the last one may have ended, or
// the limit may be gone.
func (s *shedding) quiet(episode uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said && s.active == 0 && s.episodes == episode {
		s.said = false
		s.log.Info("load shedding ended: every frame has been forwarded for a minute", zap.Uint64("times", s.episodes-s.since+1))
	}
}

// stop calls the timer off. mu is held.
func (s *shedding) stop() {
	if s.over != nil {
		s.over.Stop()
	}
}

// close is called when the agent ends.
func (s *shedding) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

func (s *shedding) count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.episodes
}
