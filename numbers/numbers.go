// Package numbers writes numbers as people read them, the same on the page, in top and in the log.
package numbers

import (
	"fmt"
	"math"
	"strconv"
)

type integer interface{ int | int64 | uint64 }

// Commas writes a number with separators between thousands: "1,234,567".
func Commas(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count is a number with its noun: "1 frame", "1,234 frames".
func Count(n uint64, noun string) string { return Commas(n) + " " + Noun(n, noun) }

// Noun is a regular noun for a number of things.
func Noun[N integer](n N, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// Rate is a number per second, without the unit. Small ones have a digit after the point.
func Rate(v float64) string {
	if v > 0 && v < 10 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return Commas(uint64(math.Round(max(v, 0))))
}

// Unit writes a number of 0 or more with a prefix of thousands before its unit: "999 B", "1.5 kB", "120 MB".
func Unit(v float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for ; v >= 1000 && i < len(prefixes)-1; i++ {
		v /= 1000
	}
	digits := 1
	if i == 0 || v >= 100 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %s%s", digits, v, prefixes[i], unit)
}

// Things is a number with its noun as a script may read it: "1234 frames".
func Things[N integer](n N, noun string) string { return fmt.Sprintf("%d %s", n, Noun(n, noun)) }

// Bytes is a number of bytes: "999 bytes", "1.5 kB".
func Bytes[N integer](n N) string {
	if n < 1000 {
		return Things(n, "byte")
	}
	return Unit(float64(n), "B")
}
