package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// minRate is the smallest MaxRate, in bits per second: below it a datagram takes
// longer than a second, and whoever wrote the number meant megabits.
const minRate = 64_000

// maxCPUPercent is the largest MaxCPU: 100 cores.
const maxCPUPercent = 10_000

// parseSwitch reads yes or no in the usual words.
func parseSwitch(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "yes", "y", "true", "on", "1":
		return true, nil
	case "no", "n", "false", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%s: write YES or NO", excerpt(value))
}

// parseSnaplen reads a snap length in bytes; 0 is none.
func parseSnaplen(value string) (uint32, error) {
	n, err := parseInt(value)
	if err != nil || n < 0 || n > maxSnaplen {
		return 0, fmt.Errorf("%s: write a number of bytes, 1 to %d, or 0 for no limit", excerpt(value), maxSnaplen)
	}
	return uint32(n), nil
}

// parseRate reads bits per second with a decimal suffix: 100M, 1.5 Gbit/s.
func parseRate(value string) (uint64, error) {
	bad := func() error {
		return fmt.Errorf("%s: write bits per second, as in 500k, 100M or 1.5G, or 0 for no limit", excerpt(value))
	}
	end := strings.IndexFunc(value, func(c rune) bool { return (c < '0' || c > '9') && c != '.' })
	if end < 0 {
		end = len(value)
	}
	n, err := strconv.ParseFloat(value[:end], 64)
	if err != nil {
		return 0, bad()
	}
	unit := strings.TrimLeft(value[end:], " \t")
	if unit != "" {
		if power := strings.IndexByte("kmgt", unit[0]|0x20); power >= 0 {
			n *= math.Pow(1000, float64(power+1))
			unit = unit[1:]
		}
	}
	switch unit {
	case "", "b", "bit", "bits", "b/s", "bps", "bit/s", "bits/s":
	case "B", "B/s", "Bps", "byte", "bytes", "byte/s", "bytes/s":
		return 0, fmt.Errorf("%s: the rate is in bits per second, not in bytes", excerpt(value))
	default:
		return 0, bad()
	}
	switch {
	case n == 0:
		return 0, nil
	case n < minRate:
		return 0, fmt.Errorf("%s: less than %d bits per second; 100M is 100 megabits", excerpt(value), minRate)
	case n > 1e15:
		return 0, bad()
	}
	return uint64(math.Round(n)), nil
}

// parsePercent reads a share of one core.
func parsePercent(value string) (int, error) {
	n, err := parseInt(strings.TrimRight(strings.TrimSuffix(value, "%"), " "))
	if err != nil || n < 0 || n > maxCPUPercent {
		return 0, fmt.Errorf("%s: write a percentage of one core, as in 50, or 0 for no limit", excerpt(value))
	}
	return int(n), nil
}

// choose returns the place of the value among the words.
func choose(value string, words ...string) (int, error) {
	for i, w := range words {
		if strings.EqualFold(value, w) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s: write %s", excerpt(value), strings.Join(words, " or "))
}
