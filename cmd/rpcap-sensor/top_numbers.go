package main

import (
	"fmt"
	"math"
	"time"
)

// sized writes a number with the letter of its size: "12.3M".
func sized(v float64) string {
	const letters = "kMGT"
	i := -1
	for ; v >= 1000 && i < len(letters)-1; i++ {
		v /= 1000
	}
	switch {
	case i < 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f%c", v, letters[i])
	}
	return fmt.Sprintf("%.1f%c", v, letters[i])
}

// offset writes a clock's, given in seconds, with its sign.
func offset(seconds *float64) string {
	switch {
	case seconds == nil:
		return "-"
	case math.Abs(*seconds) < 1:
		return fmt.Sprintf("%+.0fms", *seconds*1000)
	}
	return fmt.Sprintf("%+.1fs", *seconds)
}

// lasting writes how long something lasts, in its largest units.
func lasting(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
