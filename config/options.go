package config

import (
	"fmt"
	"math"
	"strings"
)

// minSendBuffer: the C agent takes its default for what is below.
const minSendBuffer = 16384

// ParseRingBytes reads the value of -z: bytes of memory for one capture ring, with
// K, M or G for powers of 1024. Zero and negative numbers mean the default.
func ParseRingBytes(value string) (int, error) {
	n, err := parseBytes(value)
	if err != nil {
		return 0, fmt.Errorf("ring size %w", err)
	}
	if n <= 0 {
		return DefaultRingBytes, nil
	}
	return int(n), nil
}

// ParseSendBuffer reads the value of -u: bytes, as ParseRingBytes takes them.
// Numbers below 16384 mean the default, as in the C agent.
func ParseSendBuffer(value string) (int, error) {
	n, err := parseBytes(value)
	if err != nil {
		return 0, fmt.Errorf("send buffer %w", err)
	}
	if n < minSendBuffer {
		return DefaultSendBuffer, nil
	}
	return int(n), nil
}

// parseBytes reads up to 2 GiB, the largest that the system calls take.
func parseBytes(value string) (int64, error) {
	text, scale := strings.TrimSpace(value), int64(1)
	if text != "" {
		if power := strings.IndexByte("kmg", text[len(text)-1]|0x20); power >= 0 {
			scale <<= 10 * (power + 1)
			text = strings.TrimSpace(text[:len(text)-1])
		}
	}
	n, err := parseInt(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q: write a number of bytes, as in 16777216 or 16M", value)
	case n > math.MaxInt32/scale:
		return 0, fmt.Errorf("%q: write at most %d bytes", value, math.MaxInt32)
	case n < 0:
		return -1, nil
	}
	return n * scale, nil
}

// ParseCPU reads the value of -c and returns the CPU that forwards, -1 for any. The C
// agent takes "single", one number, or "a,b" for two threads; this one has one thread
// for both jobs, which is bound to a.
func ParseCPU(value string) (cpu int, twoThreads bool, err error) {
	if strings.EqualFold(strings.TrimSpace(value), "single") {
		return -1, false, nil
	}
	list, err := parsePair(value, -1, 4095)
	if err != nil {
		return 0, false, fmt.Errorf("CPU %q: write the number of one CPU, -1 for any, or single", value)
	}
	return list[0], len(list) == 2, nil
}

// ParseNice reads the value of -e, "a" or "a,b", and returns a: the nice value of the
// thread that captures, which sends as well.
func ParseNice(value string) (nice int, twoThreads bool, err error) {
	list, err := parsePair(value, -20, 19)
	if err != nil {
		return 0, false, fmt.Errorf("nice value %q: write a number of -20 to 19", value)
	}
	return list[0], len(list) == 2, nil
}

// parsePair reads one or two numbers within bounds.
func parsePair(value string, least, most int64) ([]int, error) {
	words := splitWords(value)
	if len(words) == 0 || len(words) > 2 {
		return nil, errNotANumber
	}
	var list []int
	for _, w := range words {
		n, err := parseInt(w)
		if err != nil {
			return nil, err
		}
		if n < least || n > most {
			return nil, fmt.Errorf("%d: not within %d and %d", n, least, most)
		}
		list = append(list, int(n))
	}
	return list, nil
}
