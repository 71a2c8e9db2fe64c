package repeat

import (
	"fmt"
	"testing"
	"time"
)

func TestRepeats(t *testing.T) {
	var r Memory
	now := time.Now()
	due := func(key string, at time.Duration) string { return fmt.Sprint(r.Due(key, 1, now.Add(at))) }
	for i, step := range []struct {
		key  string
		at   time.Duration
		want string
	}{
		{"a", 0, "0 true"}, {"a", time.Minute, "0 false"}, {"b", time.Minute, "0 true"}, {"a", 59 * time.Minute, "0 false"},
		{"a", time.Hour, "2 true"}, {"a", time.Hour + 1, "0 false"},
	} {
		if got := due(step.key, step.at); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	r.Forget("a")
	if got := due("a", time.Hour+2); got != "0 true" {
		t.Errorf("forgotten: %s", got)
	}
	told := 0
	for i := range 3 * maxKeys {
		if _, ok := r.Due(fmt.Sprint(i), 1, now.Add(time.Hour+3)); ok {
			told++
		}
	}
	if len(r.told) > maxKeys+1 || told > maxKeys {
		t.Errorf("%d keys, %d told", len(r.told), told)
	}
}

// TestRepeatedTexts: an agent that finds new words each time is told of a few times, and again after an hour; a few lines
// come before the count where that is wanted.
func TestRepeatedTexts(t *testing.T) {
	var r Memory
	now := time.Now()
	lines := func(at time.Duration, few int) (n int) {
		for i := range 100 {
			if _, ok := r.Due(r.Key("10.0.0.2", fmt.Sprint("words ", at, i), now.Add(at)), few, now.Add(at)); ok {
				n++
			}
		}
		return n
	}
	if a, b := lines(0, 1), lines(time.Hour, 1); a != maxTexts+1 || b != maxTexts+1 {
		t.Errorf("%d lines, after an hour %d", a, b)
	}
	for i := range 3 * maxKeys {
		r.Key(fmt.Sprint(i), "x", now.Add(time.Hour))
	}
	if len(r.texts) > maxKeys {
		t.Errorf("%d are remembered", len(r.texts))
	}
	told := 0
	for range 100 {
		if _, ok := r.Due("turns", 16, now); ok {
			told++
		}
	}
	if again, ok := r.Due("turns", 16, now.Add(time.Hour)); told != 16 || again != 100-16 || !ok {
		t.Errorf("%d told, then %d times, %v", told, again, ok)
	}
}

func TestEvery(t *testing.T) {
	r := Memory{Every: 10 * time.Second}
	now := time.Now()
	for at, want := range []string{0: "0 true", 9: "0 false", 10: "1 true", 25: "0 true"} {
		if want == "" {
			continue
		}
		missed, ok := r.Due("", 1, now.Add(time.Duration(at)*time.Second))
		if got := fmt.Sprint(missed, " ", ok); got != want {
			t.Errorf("after %d s: %s, want %s", at, got, want)
		}
	}
}
