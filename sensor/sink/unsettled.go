package sink

import "slices"

type unsettledFeed struct {
	feed *Attachment
	seen Counters // what the sum has of it
}

// Add takes in a feed whose counters were added to the sum as seen. change adds to the sum what has changed of a sink.
func (u *Unsettled) Add(f *Attachment, seen Counters, change func(sink string, by Counters)) {
	if seen.Waiting == 0 {
		return
	}
	if len(u.feeds) >= u.look {
		u.Settle(change)
		u.look = 2*len(u.feeds) + 64
	}
	u.feeds = append(u.feeds, unsettledFeed{f, seen})
}

// Join takes over the feeds of another sum, which is added to this one.
func (u *Unsettled) Join(o Unsettled) { u.feeds = append(u.feeds, o.feeds...) }

// Clone returns the same feeds for a copy of the sum.
func (u *Unsettled) Clone() Unsettled { return Unsettled{feeds: slices.Clone(u.feeds)} }

// Settle has the sum brought up to date.
func (u *Unsettled) Settle(change func(sink string, by Counters)) {
	for i := range u.feeds {
		f := &u.feeds[i]
		if now := f.feed.Counters(); now != f.seen {
			change(f.feed.Sink(), now.Since(f.seen))
			f.seen = now
		}
	}
	u.feeds = slices.DeleteFunc(u.feeds, func(f unsettledFeed) bool { return f.seen.Waiting == 0 })
}
