package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// cpuProfile is where an agent spends its time.
type cpuProfile struct {
	Size    string   `json:"size"`
	Rate    float64  `json:"rate"` // frames per second that were sent
	GSO     bool     `json:"gso"`
	Entries []symbol `json:"entries"` // most expensive first
}

// symbol is a function, of the program or of the kernel.
type symbol struct {
	Percent float64 `json:"percent"` // of the samples
	Name    string  `json:"name"`
	Kernel  bool    `json:"kernel"`
}

// mostEntries is how much of a profile is kept.
const mostEntries = 10

// symbolPattern is a line of perf report: share, kernel or user, name.
var symbolPattern = regexp.MustCompile(`(?m)^ +([0-9.]+)% +\[([k.])\] +(\S+)`)

// readProfile finds the entries in what perf report prints.
func readProfile(text string) (list []symbol, err error) {
	for _, m := range symbolPattern.FindAllStringSubmatch(text, mostEntries) {
		share, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, fmt.Errorf("read profile: %w", err)
		}
		list = append(list, symbol{share, m[3], m[2] == "k"})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read profile: no entry in %.200q", text)
	}
	return list, nil
}

func (s symbol) String() string {
	where := ""
	if s.Kernel {
		where = " (kernel)"
	}
	return fmt.Sprintf("%.1f %% %s%s", s.Percent, s.Name, where)
}

// Title is for people.
func (p *cpuProfile) Title() string {
	return fmt.Sprintf("%s bytes, %.0f frames/s, offload of the uplink %s", p.Size, p.Rate, onOff(p.GSO))
}

// Line is the first five entries.
func (p *cpuProfile) Line() string {
	var list []string
	for _, s := range p.Entries[:min(5, len(p.Entries))] {
		list = append(list, s.String())
	}
	return strings.Join(list, ", ")
}
