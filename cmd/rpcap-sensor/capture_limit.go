package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"rpcapd/numbers"
	"rpcapd/sensor/sink"
	"rpcapd/udpstr"
)

// limits are when a capture ends; 0 is no limit.
type limits struct {
	frames   uint64
	bytes    uint64 // of frame data, as captured
	duration time.Duration
}

// limitedSink passes frames on until a limit is reached, in all of its feeds together. What comes then is left out.
type limitedSink struct {
	sink.Sink
	limits
	reached func(limit string) // called once, from any goroutine; must not block

	mu     sync.Mutex // before the sink's own; guards what follows
	frames uint64     // taken by the sink
	bytes  uint64
	done   bool
}

// Status is the wrapped sink's.
func (l *limitedSink) Status() sink.Status {
	if k, ok := l.Sink.(interface{ Status() sink.Status }); ok {
		return k.Status()
	}
	return sink.Status{}
}

// Attach implements sink.Sink.
func (l *limitedSink) Attach(src sink.Source) sink.Feed {
	return &limitedFeed{Feed: l.Sink.Attach(src), sink: l}
}

// taken is what has been taken so far.
func (l *limitedSink) taken() (frames, bytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames, l.bytes
}

// expire ends the capture because its time is over.
func (l *limitedSink) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish(l.duration.String())
}

// finish reports the first limit that is reached; l.mu is held.
func (l *limitedSink) finish(limit string) {
	if !l.done {
		l.done = true
		l.reached(limit)
	}
}

type limitedFeed struct {
	sink.Feed
	sink    *limitedSink
	leftOut uint64 // guarded by sink.mu
}

// Frame implements sink.Feed. Only what the sink has taken counts: a frame for which it has no room is not in the file.
func (f *limitedFeed) Frame(p *udpstr.Packet) {
	l := f.sink
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		f.leftOut++
		return
	}
	before := f.Feed.Counters()
	f.Feed.Frame(p)
	after := f.Feed.Counters()
	if after.Taken() > before.Taken() { // else it has no room, or writing has failed in between
		l.frames++
		l.bytes += uint64(len(p.Data))
	}
	switch {
	case l.limits.frames > 0 && l.frames >= l.limits.frames:
		l.finish(numbers.Things(l.limits.frames, "frame"))
	case l.limits.bytes > 0 && l.bytes >= l.limits.bytes:
		l.finish(numbers.Things(l.limits.bytes, "byte"))
	}
}

// Counters implements sink.Feed.
func (f *limitedFeed) Counters() sink.Counters {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	c := f.Feed.Counters()
	c.LeftOut += f.leftOut
	return c
}

// byteCount is a flag with a size or number and a decimal (k, M, G) or binary (KiB, MiB, GiB) suffix.
type byteCount uint64

var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}, {"b", 1}, {"", 1},
}

// Set implements pflag.Value.
func (b *byteCount) Set(text string) error {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if v = math.Round(v * u.factor); err != nil || !(v >= 1 && v < 1<<62) || strings.ContainsAny(number, "xpein_") {
			break
		}
		*b = byteCount(v)
		return nil
	}
	return fmt.Errorf("%q: it is a number above 0, or with k, M, G or KiB, MiB, GiB behind it", text)
}

func (b *byteCount) String() string { return strconv.FormatUint(uint64(*b), 10) }

// Type implements pflag.Value.
func (b *byteCount) Type() string { return "size" }

// seconds is a flag with a time, in seconds if there is no unit.
type seconds time.Duration

// Set implements pflag.Value.
func (s *seconds) Set(text string) error {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d <= 0 {
		return fmt.Errorf("%q: it is a number of seconds above 0, or a time such as 90s, 5m or 1h30m", text)
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string {
	if *s == 0 {
		return "0" // which pflag does not show as a default
	}
	return time.Duration(*s).String()
}

// Type implements pflag.Value.
func (s *seconds) Type() string { return "time" }
