package agent

import (
	"testing"
	"time"

	"rpcapd/udpstr"
)

// TestRateLimitHoldsItsRate sends five times what is allowed for ten seconds of
// virtual time; what passes is the rate and one burst.
func TestRateLimitHoldsItsRate(t *testing.T) {
	const bits = 8_000_000
	var r rateLimit
	r.set(bits)
	now := time.Unix(1000, 0)
	var passed, offered int64
	for range 1000 { // blocks, 10 ms apart
		frames := make([]udpstr.Frame, 50)
		for i := range frames {
			frames[i].Data = make([]byte, 1000)
			offered += exportCost(1000)
		}
		for range r.keep(frames, now) {
			passed += exportCost(1000)
		}
		now = now.Add(10 * time.Millisecond)
	}
	allowed := int64(bits / 8 * 10)
	burst := int64(rateBurstMin)
	if offered < 4*allowed || passed > allowed+burst+exportCost(1000) || passed < allowed*98/100 {
		t.Errorf("%d of %d bytes passed, allowed are %d and a burst of %d", passed, offered, allowed, burst)
	}
	r.set(0)
	if n := len(r.keep(make([]udpstr.Frame, 7), now)); n != 7 {
		t.Errorf("%d of 7 frames pass without a limit", n)
	}
}

// TestRateLimitPassesFramesOfAnySize: a frame above what has been saved up passes
// when anything has, and is paid for afterwards.
func TestRateLimitPassesFramesOfAnySize(t *testing.T) {
	var r rateLimit
	r.set(64_000)
	now := time.Unix(1000, 0)
	big := func() []udpstr.Frame { return []udpstr.Frame{{Data: make([]byte, udpstr.MaxCaplen)}} }
	if len(r.keep(big(), now)) != 1 {
		t.Fatal("a frame of the largest size never passes")
	}
	if len(r.keep(big(), now.Add(500*time.Millisecond))) != 0 {
		t.Error("it was not paid for")
	}
}

// TestShedderFollowsTheCost simulates a forwarder whose cost is proportional to what
// it keeps: above the limit it samples until the cost is below, and when the load
// ends it keeps everything again.
func TestShedderFollowsTheCost(t *testing.T) {
	var cpu time.Duration
	s := newShedder(func() time.Duration { return cpu })
	now := time.Unix(1000, 0)
	second := func(load, limit float64) float64 { // load: percent of a core if all is kept
		share := load / float64(s.n)
		cpu += time.Duration(share / 100 * float64(time.Second))
		now = now.Add(time.Second)
		s.adjust(limit, now)
		return share
	}
	second(80, 10)
	var share float64
	for range 10 {
		share = second(80, 10)
	}
	if share > 10 || share < 5 {
		t.Errorf("under load %.1f %% of a core is used, the limit is 10", share)
	}
	changes := 0
	for range 30 {
		before := s.n
		second(80, 10)
		if s.n != before {
			changes++
		}
	}
	if changes > 6 {
		t.Errorf("sampling changed in %d of 30 seconds of a steady load", changes)
	}
	for range 60 {
		second(1, 10)
	}
	if s.n != 1 {
		t.Errorf("one in %d is kept though the load is gone", s.n)
	}
	second(500, 10)
	second(500, 10)
	s.adjust(0, now.Add(2*time.Second))
	if s.n != 1 {
		t.Error("lifting the limit does not end shedding")
	}
}

func TestShedderCountsExactly(t *testing.T) {
	s := newShedder(func() time.Duration { return 0 })
	s.set(7)
	kept := 0
	for i := range 1000 {
		kept += len(s.keep(numbered(i, 1)))
	}
	if kept != 143 {
		t.Errorf("one in 7 of 1000 kept %d, want 143", kept)
	}
}
