package host

import (
	"os"
	"strconv"
	"strings"

	"rpcapd/numbers"
)

// Bytes is a number of bytes with a binary unit if it is a round one: "16 MiB", else "212992 bytes".
func Bytes(n uint64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return strconv.FormatUint(n>>30, 10) + " GiB"
	case n >= 10<<30:
		return strconv.FormatUint(n>>30, 10) + " GiB"
	case n >= 1<<20 && (n%(1<<20) == 0 || n >= 64<<20):
		return strconv.FormatUint(n>>20, 10) + " MiB"
	}
	return numbers.Things(n, "byte")
}

// FreeMemory is what this process may have more, by the kernel or by the limit of its control group, whichever is less.
func FreeMemory() (bytes uint64, why string, ok bool) {
	available, ok := available("/proc/meminfo")
	if !ok {
		return 0, "", false
	}
	if limit, ok := cgroupNumber("memory.max"); ok {
		used, _ := cgroupNumber("memory.current")
		if left := limit - min(used, limit); left < available {
			return left, "limit of the control group", true
		}
	}
	return available, "MemAvailable", true
}

func available(file string) (uint64, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(f[1], 10, 44)
			return kib << 10, err == nil
		}
	}
	return 0, false
}

// cgroupNumber reads a file of this process's own control group (version 2).
func cgroupNumber(name string) (uint64, bool) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			b, err := os.ReadFile("/sys/fs/cgroup" + path + "/" + name)
			if err != nil {
				return 0, false
			}
			n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
			return n, err == nil // "max" is no limit
		}
	}
	return 0, false
}
