package sensor

import "slices"

// unsettled are feeds that were detached while some of their frames still waited: a file is looked after before its frames
// count as written. Somebody has added their counters to a sum, and adds what changes. Its owner guards it.
type unsettled struct {
	feeds []unsettledFeed
	look  int // at this number of feeds those that are settled are taken out
}

type unsettledFeed struct {
	feed *hubFeed
	seen FeedCounters // what the sum has of it
}

// add takes in a feed whose counters were added to the sum as seen. change adds to the sum what has changed of a sink.
func (u *unsettled) add(f *hubFeed, seen FeedCounters, change func(sink string, by FeedCounters)) {
	if seen.Waiting == 0 {
		return
	}
	if len(u.feeds) >= u.look {
		u.settle(change)
		u.look = 2*len(u.feeds) + 64
	}
	u.feeds = append(u.feeds, unsettledFeed{f, seen})
}

// settle has the sum brought up to date.
func (u *unsettled) settle(change func(sink string, by FeedCounters)) {
	for i := range u.feeds {
		f := &u.feeds[i]
		if now := f.feed.Counters(); now != f.seen {
			change(f.feed.run.name, now.since(f.seen))
			f.seen = now
		}
	}
	u.feeds = slices.DeleteFunc(u.feeds, func(f unsettledFeed) bool { return f.seen.Waiting == 0 })
}
