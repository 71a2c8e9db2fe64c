package main

import (
	"fmt"
	"math"
	"strconv"
)

// axis maps values to places along a line, with marks at round values.
type axis struct {
	title     string
	low, high float64
	log       bool
	from, to  float64 // places of low and high, SVG units
}

// place is where a value lies; values outside lie at the ends.
func (a *axis) place(v float64) float64 {
	v = min(max(v, a.low), a.high)
	share := (v - a.low) / (a.high - a.low)
	if a.log {
		share = math.Log(v/a.low) / math.Log(a.high/a.low)
	}
	return a.from + share*(a.to-a.from)
}

// marks are the round values within the axis: 1, 2, 5 times a power of ten.
func (a *axis) marks() (list []float64) {
	if !a.log {
		step := roundStep((a.high - a.low) / 5)
		for v := math.Ceil(a.low/step) * step; v <= a.high*1.0001; v += step {
			list = append(list, v)
		}
		return list
	}
	for ten := math.Pow(10, math.Floor(math.Log10(a.low))); ten <= a.high; ten *= 10 {
		for _, f := range []float64{1, 2, 5} {
			if v := f * ten; v >= a.low*0.9999 && v <= a.high*1.0001 {
				list = append(list, v)
			}
		}
	}
	return list
}

// roundStep is the smallest of 1, 2, 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	ten := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*ten >= v {
			return f * ten
		}
	}
	return 10 * ten
}

// include makes the axis hold a value.
func (a *axis) include(v float64) {
	if a.low == 0 && a.high == 0 {
		a.low, a.high = v, v
	}
	a.low, a.high = min(a.low, v), max(a.high, v)
}

// round widens the axis to the next marks.
func (a *axis) round() {
	if !a.log {
		a.high = roundStep(a.high/5) * math.Ceil(a.high/roundStep(a.high/5)*0.9999)
		return
	}
	down, up := math.Pow(10, math.Floor(math.Log10(a.low))), math.Pow(10, math.Floor(math.Log10(a.high)))
	for _, f := range []float64{5, 2, 1} {
		if f*down <= a.low {
			down *= f
			break
		}
	}
	for _, f := range []float64{1, 2, 5, 10} {
		if f*up >= a.high {
			up *= f
			break
		}
	}
	a.low, a.high = down, up
}

// short writes a number with k and M.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	}
	return fmt.Sprintf("%.3g", v)
}
