package config

import (
	"fmt"
	"strings"
	"time"
)

var dataSection = sensorSection{
	section: section{kind: "data", keys: []string{"FirstPort", "Ports", "GRO"}},
	key: func(p *sensorParser, s setting) (err error) {
		p.dataLine = s.line
		switch value := unquote(s.value); s.key {
		case "FirstPort":
			p.sensor.Data.First, err = parsePort(value)
		case "Ports":
			p.sensor.Data.Count, err = parseCount(value, maxDataPorts)
		case "GRO":
			p.sensor.Data.GROOff, err = parseGRO(value)
		}
		return err
	},
	whole: func(p *sensorParser) {
		if d := p.sensor.Data; int(d.First)+d.Count-1 > 65535 {
			p.errorf(p.dataLine, "%d ports from %d on go beyond 65535; choose a smaller FirstPort", d.Count, d.First)
		}
	},
}

// parseGRO reads whether receive offload is off.
func parseGRO(value string) (off bool, err error) {
	switch strings.ToLower(value) {
	case "auto":
		return false, nil
	case "off":
		return true, nil
	}
	return false, badValue(value, "write auto or off")
}

var outputSection = sensorSection{
	section: section{kind: "output", keys: []string{"File", "MaxFrame"}},
	key: func(p *sensorParser, s setting) (err error) {
		if value := unquote(s.value); s.key == "MaxFrame" {
			p.sensor.Output.MaxFrame, err = parseMaxFrame(value)
		} else {
			p.sensor.Output.File = value
		}
		return err
	},
}

const (
	maxWindow   = 4096             // datagrams that one stream may make the sensor keep: 6 MiB
	maxHold     = 10 * time.Second // beyond it frames are of no use to who looks on
	maxSessions = 65536
)

var streamsSection = sensorSection{
	section: section{kind: "streams", keys: []string{"Window", "Hold", "Dedup", "Sessions", "SessionsPerAddress"}},
	key: func(p *sensorParser, s setting) (err error) {
		to := &p.sensor.Streams
		switch value := unquote(s.value); s.key {
		case "Window":
			to.Window, err = parseCount(value, maxWindow)
		case "Hold":
			to.Hold, err = parseMillis(value, maxHold)
		case "Dedup":
			to.Dedup, err = parseMillis(value, maxHold)
		case "Sessions":
			to.Sessions, err = parseCount(value, maxSessions)
		case "SessionsPerAddress":
			to.SessionsPerAddress, err = parseCount(value, maxSessions)
		}
		return err
	},
}

// parseMillis reads a time such as 20ms, or a number of milliseconds.
func parseMillis(value string, most time.Duration) (time.Duration, error) {
	bad := badValue(value, fmt.Sprintf("write a time of 1 ms to %v, as in 20ms", most))
	if n, err := parseInt(value); err == nil {
		if n < 1 || n > most.Milliseconds() {
			return 0, bad
		}
		return time.Duration(n) * time.Millisecond, nil
	}
	d, err := parseDuration(value)
	if err != nil || d < time.Millisecond || d > most {
		return 0, bad
	}
	return d, nil
}
