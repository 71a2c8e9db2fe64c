package files

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no time zones
)

// TestBoundaryOfTheClock: a file of a day is from midnight to midnight and one of six hours ends at 0, 6, 12 or 18 o'clock, whatever
// the clock does in between; hours are hours.
func TestBoundaryOfTheClock(t *testing.T) {
	const layout = "2006-01-02 15:04:05 -0700"
	for _, tc := range []struct {
		title, zone string
		begun       string
		lasts       time.Duration
		ends        string
		hours       float64 // how long the file is
	}{
		{"a day", "Europe/Berlin", "2026-06-01 00:00:00 +0200", 24 * time.Hour, "2026-06-02 00:00:00 +0200", 24},
		{"begun in between", "Europe/Berlin", "2026-06-01 22:30:00 +0200", 24 * time.Hour, "2026-06-02 00:00:00 +0200", 1.5},
		{"the long day", "Europe/Berlin", "2026-10-25 00:00:00 +0200", 24 * time.Hour, "2026-10-26 00:00:00 +0100", 25},
		{"begun on the long day", "Europe/Berlin", "2026-10-25 02:30:00 +0100", 24 * time.Hour, "2026-10-26 00:00:00 +0100", 21.5},
		{"the short day", "Europe/Berlin", "2026-03-29 00:00:00 +0100", 24 * time.Hour, "2026-03-30 00:00:00 +0200", 23},
		{"six hours, back", "Europe/Berlin", "2026-10-25 00:00:00 +0200", 6 * time.Hour, "2026-10-25 06:00:00 +0100", 7},
		{"six hours, ahead", "Europe/Berlin", "2026-03-29 00:00:00 +0100", 6 * time.Hour, "2026-03-29 06:00:00 +0200", 5},
		{"three hours, up to the hour that comes twice", "Europe/Berlin", "2026-10-25 00:00:00 +0200", 3 * time.Hour, "2026-10-25 03:00:00 +0100", 4},
		{"six hours after it", "Europe/Berlin", "2026-10-25 06:00:00 +0100", 6 * time.Hour, "2026-10-25 12:00:00 +0100", 6},
		{"an hour that comes twice", "Europe/Berlin", "2026-10-25 02:00:00 +0200", time.Hour, "2026-10-25 02:00:00 +0100", 1},
		{"for the second time", "Europe/Berlin", "2026-10-25 02:00:00 +0100", time.Hour, "2026-10-25 03:00:00 +0100", 1},
		{"an hour that is missing", "Europe/Berlin", "2026-03-29 01:00:00 +0100", time.Hour, "2026-03-29 03:00:00 +0200", 1},
		{"a quarter", "Europe/Berlin", "2026-10-25 02:50:00 +0200", 15 * time.Minute, "2026-10-25 02:00:00 +0100", 1. / 6},
		{"half an hour of change", "Australia/Lord_Howe", "2026-04-05 00:00:00 +1100", 24 * time.Hour, "2026-04-06 00:00:00 +1030", 24.5},
		{"midnight comes twice", "America/Havana", "2026-11-01 00:00:00 -0400", 24 * time.Hour, "2026-11-02 00:00:00 -0500", 25},
		{"there is no midnight", "America/Havana", "2026-03-07 00:00:00 -0500", 24 * time.Hour, "2026-03-08 01:00:00 -0400", 24},
		{"UTC", "UTC", "2026-10-25 00:00:00 +0000", 24 * time.Hour, "2026-10-26 00:00:00 +0000", 24},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		begun, err := time.ParseInLocation(layout, tc.begun, zone)
		if err != nil {
			t.Fatal(err)
		}
		begun = begun.In(zone)
		end := boundary(begun, tc.lasts)
		if got := end.Format(layout); got != tc.ends || end.Sub(begun).Hours() != tc.hours {
			t.Errorf("%s: %v from %s: ends %s after %v, want %s", tc.title, tc.lasts, tc.begun, got, end.Sub(begun), tc.ends)
		}
	}
}

// TestBoundariesOfAYear: days, and what divides them, begin with the day, and none is empty or longer than an hour too much.
func TestBoundariesOfAYear(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []time.Duration{24 * time.Hour, 12 * time.Hour, 6 * time.Hour, 2 * time.Hour, time.Hour, 10 * time.Minute} {
			days := make(map[int]bool)
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
			for at.Year() == 2026 {
				next := boundary(at, d)
				if lasts := next.Sub(at); lasts <= 0 || lasts > d+time.Hour {
					t.Fatalf("%s: a file of %v from %v to %v", name, d, at, next)
				}
				if next.YearDay() != at.YearDay() {
					if _, change := at.ZoneBounds(); wallClock(next).Truncate(24*time.Hour) != wallClock(next) && !next.Equal(change) {
						t.Errorf("%s: a file of %v goes on over midnight: from %v to %v", name, d, at, next)
					}
					days[next.YearDay()] = true
				}
				at = next
			}
			if len(days) != 365 {
				t.Errorf("%s, %v: %d days begin with a file", name, d, len(days))
			}
		}
	}
}

// TestClockSetBack: a file ends at its time by the clock, and no later than it was meant to last when that was set back.
func TestClockSetBack(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		title string
		file  file
		over  bool
	}{
		{"no rotation by time", file{begun: now.Add(-time.Hour)}, false},
		{"under way", file{begun: now.Add(-time.Minute), until: now.Add(time.Minute), lasts: 2 * time.Minute}, false},
		{"its time", file{begun: now.Add(-time.Minute), until: now, lasts: time.Minute}, true},
		{"set back a day", file{begun: now.Add(-10 * time.Minute), until: now.Add(24 * time.Hour), lasts: 5 * time.Minute}, true},
		{"slewed", file{begun: now.Add(-5 * time.Minute), until: now.Add(time.Second), lasts: 5*time.Minute - time.Second}, false},
	} {
		if got := tc.file.over(now); got != tc.over {
			t.Errorf("%s: %v", tc.title, got)
		}
	}
}
