package health

import "time"

const (
	// recentBuckets minutes are looked back at to say what is wrong.
	recentBuckets = 10
	recentBucket  = time.Minute
)

// recent keeps the state of sums at the beginning of each of the last minutes.
type recent[T any] struct {
	at  [recentBuckets + 1]T
	n   int       // of them that are set
	due time.Time // when the next one is to be kept
}

// keep notes the sums if a minute has passed.
func (r *recent[T]) keep(now time.Time, sums T) {
	if r.n > 0 && now.Before(r.due) {
		return
	}
	copy(r.at[1:], r.at[:recentBuckets])
	r.at[0] = sums
	r.n = min(r.n+1, len(r.at))
	r.due = now.Add(recentBucket)
}

// oldest is the earliest state known: about ten minutes ago, or when it was seen first.
func (r *recent[T]) oldest() *T { return &r.at[max(r.n, 1)-1] }
