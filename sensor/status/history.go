package status

import (
	"slices"
	"sync"

	"rpcapd/sensor/sink"
)

const (
	// maxHistory bounds the names of ended captures: they come from agents.
	maxHistory = 1024
	// maxReasons bounds the reasons remembered for a name: they come from agents too.
	maxReasons = 8
	// othersName is under what the captures beyond that are summed up.
	othersName = "(others)"
)

// History sums up the captures that have ended, by name.
type History struct {
	mu    sync.Mutex // before the locks of sinks
	sums  map[string]*Peer
	said  map[string][]string // reasons by name
	order []*Peer
}

// NewHistory returns an empty one.
func NewHistory() *History {
	return &History{sums: make(map[string]*Peer), said: make(map[string][]string)}
}

// news reports whether the end of a capture is the first of its name for that reason. mu is held.
func (h *History) news(st *Peer) bool {
	said := h.said[st.Name]
	if slices.Contains(said, st.Reason) || len(said) >= maxReasons {
		return false
	}
	h.said[st.Name] = append(said, st.Reason)
	return true
}

// Add sums up one ended capture. What is not a sum is the last one's. It reports whether the end is news.
func (h *History) Add(st Peer) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := h.sums[st.Name]
	if sum == nil {
		if len(h.order) >= maxHistory {
			st.Name = othersName
			sum = h.sums[othersName]
		}
		if sum == nil {
			st.Sessions = 1
			h.sums[st.Name] = &st
			h.order = append(h.order, &st)
			return h.news(&st)
		}
	}
	news = h.news(&st)
	merged := st
	merged.Since = sum.Since
	merged.Sessions = sum.Sessions + 1
	merged.Forwarded.Add(sum.Forwarded)
	merged.Received.add(sum.Received)
	merged.TailLost += sum.TailLost
	merged.Rebound += sum.Rebound
	merged.addSinks(sum.BySink)
	merged.late.Join(sum.late)
	merged.late.Settle(merged.change)
	merged.Deduplicated += sum.Deduplicated
	merged.Disowned += sum.Disowned
	if st.Disowned == 0 {
		merged.DisownedSource = sum.DisownedSource
	}
	merged.Tail = max(st.Tail, sum.Tail) // the least certain one
	*sum = merged
	return news
}

// List returns the sums, in the order in which their names came.
func (h *History) List() []Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Peer, len(h.order))
	for i, p := range h.order {
		p.late.Settle(p.change)
		out[i] = *p
		out[i].late = sink.Unsettled{}
	}
	return out
}
