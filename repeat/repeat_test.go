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

// TestQuiet: when nothing has come for a while, all are news again, with the count of what was not told, and a peer's texts
// are told apart anew. A single kind that pauses while others go on is not.
func TestQuiet(t *testing.T) {
	r := Memory{Every: 24 * time.Hour, Quiet: time.Minute, Texts: 2}
	now := time.Now()
	for i, step := range []struct {
		at   time.Duration
		text string
		want string
	}{
		{0, "a", "0 true"}, {time.Minute, "a", "0 false"}, {2 * time.Minute, "b", "0 true"}, {3 * time.Minute, "a", "0 false"},
		{3 * time.Minute, "c", "0 true"}, {3 * time.Minute, "d", "0 false"}, // other texts
		{4*time.Minute + 1, "a", "2 true"}, {4*time.Minute + 2, "a", "0 false"},
		{4*time.Minute + 3, "c", "0 true"}, {4*time.Minute + 4, "d", "1 true"}, // c is told apart, d is another text
		{24*time.Hour + 5*time.Minute, "a", "1 true"},
	} {
		at := now.Add(step.at)
		if got := fmt.Sprint(r.Due(r.Key("x", step.text, at), 1, at)); got != step.want {
			t.Errorf("step %d: %q after %v: %s, want %s", i, step.text, step.at, got, step.want)
		}
	}
	if key := r.Key("x", "e", now.Add(25*time.Hour)); key == Others("x") {
		t.Errorf("%q is not told apart after a quiet time", key)
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
