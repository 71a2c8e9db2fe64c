package sensor

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

// history sums up the captures that have ended, by name.
type history struct {
	mu    sync.Mutex // before the locks of sinks
	sums  map[string]*PeerStatus
	said  map[string][]string // reasons by name
	order []*PeerStatus
}

func newHistory() *history {
	return &history{sums: make(map[string]*PeerStatus), said: make(map[string][]string)}
}

// news reports whether the end of a capture is the first of its name for that reason. mu is held.
func (h *history) news(st *PeerStatus) bool {
	said := h.said[st.Name]
	if slices.Contains(said, st.Reason) || len(said) >= maxReasons {
		return false
	}
	h.said[st.Name] = append(said, st.Reason)
	return true
}

// add sums up one ended capture. What is not a sum is the last one's. It reports whether the end is news.
func (h *history) add(st PeerStatus) (news bool) {
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
	merged.late.Feeds = append(merged.late.Feeds, sum.late.Feeds...)
	merged.late.Settle(merged.change)
	merged.Deduplicated += sum.Deduplicated
	merged.Disowned += sum.Disowned
	merged.Tail = max(st.Tail, sum.Tail) // the least certain one
	*sum = merged
	return news
}

func (h *history) list() []PeerStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]PeerStatus, len(h.order))
	for i, p := range h.order {
		p.late.Settle(p.change)
		out[i] = *p
		out[i].late = sink.Unsettled{}
	}
	return out
}
