package sink

import "slices"

// Unsettled are feeds that were detached while some of their frames still waited: a file is looked after before its frames
// count as written. Somebody has added their counters to a sum, and adds what changes. Its owner guards it.
type Unsettled struct {
	Feeds []unsettledFeed
	look  int // at this number of feeds those that are settled are taken out
}

type unsettledFeed struct {
	feed *Attachment
	seen Counters // what the sum has of it
}

// Add takes in a feed whose counters were added to the sum as seen. change adds to the sum what has changed of a sink.
func (u *Unsettled) Add(f *Attachment, seen Counters, change func(sink string, by Counters)) {
	if seen.Waiting == 0 {
		return
	}
	if len(u.Feeds) >= u.look {
		u.Settle(change)
		u.look = 2*len(u.Feeds) + 64
	}
	u.Feeds = append(u.Feeds, unsettledFeed{f, seen})
}

// Settle has the sum brought up to date.
func (u *Unsettled) Settle(change func(sink string, by Counters)) {
	for i := range u.Feeds {
		f := &u.Feeds[i]
		if now := f.feed.Counters(); now != f.seen {
			change(f.feed.Sink(), now.Since(f.seen))
			f.seen = now
		}
	}
	u.Feeds = slices.DeleteFunc(u.Feeds, func(f unsettledFeed) bool { return f.seen.Waiting == 0 })
}
