package health

import (
	"net/netip"
	"sync"
)

const (
	// maxSending bounds the answers that wait for their readers, of all connections together, in bytes; short ones, up to
	// shortAnswer, are not counted.
	maxSending  = 64 << 20
	shortAnswer = 64 << 10
	// maxMaking is how many answers are made at once; more requests wait for their turn.
	maxMaking = 8
)

// sendings are the answers that are being sent. When they need more memory than they may, one gives way: of the address that
// has the most bytes waiting, the one that was begun first. So readers that do not read cost no more than that, and keep out
// nobody else.
type sendings struct {
	limit int

	mu    sync.Mutex // a leaf; guards what follows
	total int
	of    map[netip.Addr]int
	list  []*sending // the oldest first
}

// sending is one answer.
type sending struct {
	from  netip.Addr
	bytes int
	stop  func() // ends its connection
}

func newSendings(limit int) *sendings { return &sendings{limit: limit, of: make(map[netip.Addr]int)} }

// begin counts an answer until end.
func (s *sendings) begin(x *sending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.total > 0 && s.total+x.bytes > s.limit {
		s.giveWay()
	}
	s.list = append(s.list, x)
	s.total += x.bytes
	s.of[x.from] += x.bytes
}

// end is called once the answer has been sent, or has not; also for one that gave way.
func (s *sendings) end(x *sending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.list {
		if o == x {
			s.remove(i)
			return
		}
	}
}

// giveWay ends one answer. mu is held.
func (s *sendings) giveWay() {
	least := 0
	for i, x := range s.list {
		if s.of[x.from] > s.of[s.list[least].from] {
			least = i
		}
	}
	x := s.list[least]
	s.remove(least)
	x.stop()
}

// remove takes an answer out. mu is held.
func (s *sendings) remove(i int) {
	x := s.list[i]
	s.list = append(s.list[:i], s.list[i+1:]...)
	s.total -= x.bytes
	if s.of[x.from] -= x.bytes; s.of[x.from] <= 0 {
		delete(s.of, x.from)
	}
}
