package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	minRotateSize = 4 << 10
	maxFileBytes  = 1 << 60
	minRotateTime = time.Second
	maxRotateTime = 366 * 24 * time.Hour
	maxKeep       = 1_000_000
)

var fileSection = sensorSection{
	section: section{kind: "file", many: true, keys: append([]string{
		"Path", "Format", "Split", "RotateSize", "RotateTime", "RotateFrames", "Keep", "KeepBytes", "Compress", "Sync",
	}, selectionKeys...)},
	begin: func(p *sensorParser, h header, name string) {
		if p.file(h.section) == nil {
			p.sensor.Files = append(p.sensor.Files, File{Name: name, SyncAtClose: true, line: h.line})
		}
	},
	key:   func(p *sensorParser, s setting) error { return p.file(s.section).set(s) },
	whole: (*sensorParser).checkFiles,
}

// file finds the output of a section given as "file NAME".
func (p *sensorParser) file(section string) *File {
	_, name, _ := strings.Cut(section, " ")
	for i := range p.sensor.Files {
		if p.sensor.Files[i].Name == name {
			return &p.sensor.Files[i]
		}
	}
	return nil
}

// Title names the output in logs and in the status.
func (f File) Title() string { return strings.TrimSpace("file " + f.Name) }

// set puts one line in force.
func (f *File) set(s setting) (err error) {
	if mine, err := f.Selection.set(s); mine {
		return err
	}
	n := 0
	switch value := unquote(s.value); s.key {
	case "Path":
		f.Path, err = value, CheckFilePath(value)
	case "Format":
		n, err = choose(value, "pcapng", "pcap")
		f.Classic = n == 1
	case "Split":
		n, err = choose(value, "merged", "agent")
		f.PerAgent = n == 1
	case "RotateSize":
		f.RotateSize, err = parseFileBytes(value, minRotateSize)
	case "RotateTime":
		f.RotateTime, err = parseSpan(value, minRotateTime, maxRotateTime)
	case "RotateFrames":
		n, err = parseCount(value, math.MaxInt32)
		f.RotateFrames = uint64(n)
	case "Keep":
		f.Keep, err = parseCount(value, maxKeep)
	case "KeepBytes":
		f.KeepBytes, err = parseFileBytes(value, minRotateSize)
	case "Compress":
		words := []string{"none", "gzip", "zstd"}
		if n, err = choose(value, words...); n > 0 {
			f.Compress = words[n]
		} else {
			f.Compress = ""
		}
	case "Sync":
		err = f.setSync(value)
	}
	return err
}

func (f *File) setSync(value string) error {
	f.SyncAtClose, f.SyncEvery = true, 0
	switch strings.ToLower(value) {
	case "never":
		f.SyncAtClose = false
		return nil
	case "close":
		return nil
	}
	var err error
	if f.SyncEvery, err = parseSpan(value, 10*time.Millisecond, 24*time.Hour); err != nil {
		return badValue(value, "write never, close, or a time of 10ms to 24h, as in 5s")
	}
	return nil
}

// checkFiles looks at what the lines make together.
func (p *sensorParser) checkFiles() {
	lines := make(map[string]int)
	for _, f := range p.sensor.Files {
		bad := func(keys []string, format string, args ...any) {
			p.errorf(p.lineOf(f.Title(), f.line, keys...), "["+f.Title()+"] "+format, args...)
		}
		rotates := f.RotateSize > 0 || f.RotateTime > 0 || f.RotateFrames > 0
		name := fileNameOf(f.Path)
		switch {
		case f.Path == "":
			bad([]string{"Path"}, "has no Path; write where the files go, as in Path = /var/lib/rpcap-sensor/%%Y%%m%%d-%%H%%M%%S.pcapng")
		case lines[f.Path] > 0:
			bad([]string{"Path"}, "has the same Path as the section on line %d; give it another one", lines[f.Path])
		case f.PerAgent && !name["host"] && !name["agent"]:
			bad([]string{"Split"}, "has Split = agent, and the agent is not in Path; put {host} into it, as in {host}-%%Y%%m%%d-%%H%%M%%S.pcapng")
		case !f.PerAgent && (name["host"] || name["agent"] || name["interface"] || name["rule"]):
			bad([]string{"Path"}, "has names of an agent in Path; they need Split = agent")
		case (f.Keep > 0 || f.KeepBytes > 0) && !rotates:
			bad([]string{"Keep", "KeepBytes"}, "has Keep or KeepBytes, and the file in use is never deleted; add RotateSize, RotateTime or RotateFrames")
		case f.KeepBytes > 0 && f.RotateSize > f.KeepBytes:
			bad([]string{"KeepBytes"}, "keeps %d bytes, less than the one file of RotateSize; make KeepBytes larger", f.KeepBytes)
		}
		lines[f.Path] = f.line
	}
}

// sizeUnits are decimal and binary multiples of a byte, the longer words first.
var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}, {"b", 1}, {"", 1},
}

// parseFileBytes reads a number of bytes such as 100M (decimal) or 4GiB (binary).
func parseFileBytes(value string, least int64) (int64, error) {
	bad := badValue(value, fmt.Sprintf("write a number of bytes of at least %d, as in 500k, 100M or 4GiB", least))
	lower := strings.ToLower(value)
	for _, u := range sizeUnits {
		number, found := strings.CutSuffix(lower, u.suffix)
		if !found {
			continue
		}
		number = strings.TrimRight(number, " \t")
		n, err := strconv.ParseFloat(number, 64)
		if n *= u.factor; err != nil || strings.Trim(number, "0123456789.") != "" || n < float64(least) || n > maxFileBytes {
			break
		}
		return int64(math.Round(n)), nil
	}
	return 0, bad
}

// parseSpan reads a time such as 90s, 15m, 1h or 7d, or a number of seconds.
func parseSpan(value string, least, most time.Duration) (time.Duration, error) {
	var d time.Duration
	text, unit := strings.ToLower(strings.ReplaceAll(value, " ", "")), 0*time.Second
	if days, found := strings.CutSuffix(text, "d"); found {
		text, unit = days, 24*time.Hour
	} else if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		unit = time.Second
	}
	var err error
	if unit > 0 {
		var n uint64
		n, err = strconv.ParseUint(text, 10, 32)
		d = time.Duration(min(n, uint64(math.MaxInt64/unit))) * unit
	} else {
		d, err = time.ParseDuration(text)
	}
	if err != nil || d < least || d > most {
		return 0, badValue(value, fmt.Sprintf("write a time of %v to %v, as in 30s, 15m, 1h or 1d", least, most))
	}
	return d, nil
}
