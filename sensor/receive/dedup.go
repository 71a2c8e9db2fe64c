package receive

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"rpcapd/udpstr"
)

const (
	// dedupShards are locked one by one, because the ports' goroutines run at once.
	dedupShards = 16
	// dedupWays is how many frames may share a place of the table.
	dedupWays = 8
	// dedupOthers is how many streams a frame remembers that have brought it again; those of more agents that see the
	// same frame are dropped too, but a frame that one of them truly saw twice is then lost.
	dedupOthers = 5
	// dedupPerMilli frames are remembered for each millisecond of the window, within dedupLeast and dedupMost: 200,000
	// frames/s, at 48 bytes each.
	dedupPerMilli = 200
	dedupLeast    = 1 << 16
	dedupMost     = 1 << 20
)

// dedup drops frames that another stream has brought within the window: two agents that see the same frame.
//
// What one stream brings twice is no duplicate, it has been on the wire twice. To keep it so across streams, each frame
// delivered stands in the table with the stream that brought it and those that have brought it again: of n equal frames
// from one stream and m from another, the larger number is delivered, in whatever order they come.
//
// Equal is every byte, the length on the wire and the link type. Time is that of arrival, because agents' clocks differ.
type dedup struct {
	window time.Duration
	seed   maphash.Seed
	serial atomic.Uint32 // of streams; 0 is none
	shards [dedupShards]dedupShard
}

type dedupShard struct {
	mu        sync.Mutex // a leaf
	places    [][dedupWays]dedupEntry
	forgotten uint64   // entries that had to go before their window was over
	_         [16]byte // shards on cache lines of their own
}

// dedupEntry is one frame that was delivered.
type dedupEntry struct {
	hash   uint64
	at     int64  // UnixNano; 0: free
	stream uint32 // that brought it
	others [dedupOthers]uint32
}

func newDedup(window time.Duration) *dedup {
	if window <= 0 {
		return nil
	}
	d := &dedup{window: window, seed: maphash.MakeSeed()}
	frames := min(max(int64(window/time.Millisecond)*dedupPerMilli, dedupLeast), dedupMost)
	places := 1
	for int64(places)*dedupWays*dedupShards < frames {
		places *= 2
	}
	for i := range d.shards {
		d.shards[i].places = make([][dedupWays]dedupEntry, places)
	}
	return d
}

// stream returns the number of a new stream.
func (d *dedup) stream() uint32 {
	if d == nil {
		return 0
	}
	return d.serial.Add(1)
}

// again reports whether a frame of a stream is to be dropped because another stream has brought it.
func (d *dedup) again(stream, linkType uint32, p *udpstr.Packet, now time.Time) bool {
	hash := maphash.Bytes(d.seed, p.Data) ^ (uint64(p.Len)<<32|uint64(linkType))*0x9e3779b97f4a7c15
	s := &d.shards[hash%dedupShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &s.places[hash/dedupShards%uint64(len(s.places))]
	at, oldest := now.UnixNano(), 0
	var first *dedupEntry // the oldest that stream has not brought yet
	for i := range place {
		e := &place[i]
		if e.at != 0 && max(at-e.at, e.at-at) > int64(d.window) { // later than now: the clock was set back
			e.at = 0
		}
		if e.at < place[oldest].at {
			oldest = i
		}
		if e.at != 0 && e.hash == hash && !e.has(stream) && (first == nil || e.at < first.at) {
			first = e
		}
	}
	if first != nil {
		first.add(stream)
		return true
	}
	if place[oldest].at != 0 {
		s.forgotten++
	}
	place[oldest] = dedupEntry{hash: hash, at: at, stream: stream}
	return false
}

// has reports whether the stream has brought the frame.
func (e *dedupEntry) has(stream uint32) bool {
	if e.stream == stream {
		return true
	}
	for _, o := range e.others {
		if o == stream {
			return true
		}
	}
	return false
}

func (e *dedupEntry) add(stream uint32) {
	for i := range e.others {
		if e.others[i] == 0 {
			e.others[i] = stream
			return
		}
	}
}

// forgotten counts the frames that the table had to forget before their window was over.
func (d *dedup) forgotten() (n uint64) {
	if d == nil {
		return 0
	}
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		n += s.forgotten
		s.mu.Unlock()
	}
	return n
}

// span is the window, 0 if there is none.
func (d *dedup) span() time.Duration {
	if d == nil {
		return 0
	}
	return d.window
}
