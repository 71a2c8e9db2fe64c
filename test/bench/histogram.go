package main

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets whose width is 1/64 of where they lie, at most
// 1.6 %. The zero value is empty. Negative durations count as 0.
type histogram struct {
	buckets [64 * 64]uint64
	count   uint64
	max     time.Duration
}

const subBuckets = 64 // of each power of two

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.count++
	h.max = max(h.max, d)
	h.buckets[bucket(uint64(d))]++
}

// bucket numbers: the values below 64 one by one, then 64 for each power of two.
func bucket(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - 7 // leaves 64 to 127
	return (shift+1)*subBuckets + int(v>>shift) - subBuckets
}

// upper is the largest value of a bucket.
func upper(i int) uint64 {
	if i < subBuckets {
		return uint64(i)
	}
	shift := i/subBuckets - 1
	return uint64(i%subBuckets+subBuckets+1)<<shift - 1
}

// quantile returns a value that a share q of what was counted does not exceed, 0 if
// nothing was.
func (h *histogram) quantile(q float64) time.Duration {
	want := uint64(q * float64(h.count))
	sum := uint64(0)
	for i, n := range h.buckets {
		if sum += n; n > 0 && sum >= want {
			return min(time.Duration(upper(i)), h.max)
		}
	}
	return h.max
}
