package harness

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Footprint is what a program takes from its host.
type Footprint struct {
	Resident       int64 // bytes, of the program's own: not the parts of its file that were read by now
	Files, Threads int
}

// Footprint reads /proc.
func (p *Running) Footprint() Footprint {
	p.T.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		p.T.Fatal(err)
	}
	return Footprint{Resident: int64(p.Number("RssAnon", 10)) << 10, Files: len(files), Threads: int(p.Number("Threads", 10))}
}

// Number is one of /proc/PID/status.
func (p *Running) Number(name string, base int) uint64 {
	p.T.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		p.T.Fatal(err)
	}
	_, value, _ := strings.Cut(string(status), "\n"+name+":")
	value, _, _ = strings.Cut(strings.TrimSpace(value), "\n")
	value, _, _ = strings.Cut(value, " ") // the unit
	n, err := strconv.ParseUint(value, base, 64)
	if err != nil {
		p.T.Fatalf("process status: %s: %v", name, err)
	}
	return n
}
