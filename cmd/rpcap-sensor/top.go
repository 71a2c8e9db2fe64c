package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"rpcapd/config"
)

const (
	topInterval    = 2 * time.Second
	minTopInterval = 200 * time.Millisecond
)

const topHelp = `Show a running sensor in the terminal: for each peer (an interface of an agent) what it forwards, what arrives, and
what is lost where. The command asks the sensor over HTTP, so the sensor needs a section [http] in its file, or --http.

Without -f and --url it asks ` + defaultURL + `. With -f it takes the address and the certificate from the
sensor's file. On a terminal, it updates the table every 2 s until you press q. Into a pipe, or with --once, it prints the
table once.

FORWARDED and LOST:AGENT are the agents' own numbers, which come every 5 s; the head of the table shows the age of the
oldest. LOST:PATH counts frames that were forwarded and did not arrive, LOST:OUTPUT those that an output dropped.

Keys: q ends, space pauses and resumes, arrows and Page Up/Down move, r reverses the order; a letter sorts by
  n name, s state, c forwarded, f received, p frames/s, d lost at the agent, m lost on the path, o lost at outputs,
  k clock, t connected`

// address is the URL to ask, and the file of the certificate that it must show.
func (o *topSettings) address() (url, certificate string, err error) {
	if o.url != "" {
		if !strings.Contains(o.url, "://") {
			return "http://" + o.url, "", nil
		}
		return o.url, "", nil
	}
	if o.file == "" {
		return defaultURL, "", nil
	}
	s, problems, err := config.LoadSensor(o.file)
	if err = errors.Join(err, problems.Err()); err != nil {
		return "", "", err
	}
	if !s.HTTP.Enabled {
		return "", "", fmt.Errorf("read address of the sensor: %s has no section [http]; add one and reload the sensor, or give --url", o.file)
	}
	host := s.HTTP.ListenText()
	if !s.HTTP.Listen.Addr().IsValid() || s.HTTP.Listen.Addr().IsUnspecified() {
		host = fmt.Sprintf("127.0.0.1:%d", s.HTTP.Listen.Port())
	}
	if s.HTTP.Certificate != "" {
		return "https://" + host, s.HTTP.Certificate, nil
	}
	return "http://" + host, "", nil
}

// topSettings is the command line of top.
type topSettings struct {
	stdin, stdout, stderr *os.File

	file         string
	url          string
	ca           string
	user         string
	passwordFile string
	interval     time.Duration
	count        int
	once         bool
	sort         string
	reverse      bool
	find         string
}

const defaultURL = "http://127.0.0.1:9203"
