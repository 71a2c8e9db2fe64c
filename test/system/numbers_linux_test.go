package system

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// status is what the tests look at in the agent's status file.
type status struct {
	PID      int
	Sessions []session
}

type session struct {
	Line, Member int
	Sensor       string
	State        string
	Detail       string
	Connects     uint64
	LastError    string      `json:"last_error"`
	SendErrors   []sendError `json:"send_errors"`
	Capture      *capture
	Total        counters
}

type sendError struct {
	Errno, Text string
	Errors      uint64
}

type capture struct {
	Interface string
	Format    string
	Data      string
	Running   bool
	Datagram  int `json:"datagram_limit"`
	GSO       string
	counters
}

type counters struct {
	Received    uint64
	RingDrops   uint64 `json:"ring_drops"`
	Captured    uint64
	Packed      uint64
	Sampled     uint64 `json:"sampled_out"`
	RateDropped uint64 `json:"rate_dropped"`
	Datagrams   uint64
	SentBytes   uint64 `json:"sent_bytes"`
	Sends       uint64
	SendDropped uint64 `json:"send_dropped"`
	ICMPErrors  uint64 `json:"icmp_errors"`
}

// status reads the status file; it is the zero value as long as there is none.
func (a *agent) status() (st status) {
	a.T.Helper()
	b, err := os.ReadFile(filepath.Join(a.runDir, "status.json"))
	if err != nil {
		return st
	}
	if err := json.Unmarshal(b, &st); err != nil {
		a.T.Fatalf("status file: %v", err)
	}
	return st
}

// session returns the one session of an agent with one line.
func (a *agent) session() session {
	a.T.Helper()
	st := a.status()
	if len(st.Sessions) > 1 {
		a.T.Fatalf("%d sessions", len(st.Sessions))
	}
	if len(st.Sessions) == 0 {
		return session{}
	}
	return st.Sessions[0]
}

// peer is what the sensor's summary says of one agent and interface.
type peer struct {
	name, head string
	// as the agent said it last
	ifrecv, krnldrop, ifdrop, captured uint64
	// as the sensor counted it
	datagrams, bytes, frames, lost, late, duplicate, malformed, missing uint64
	written, dropped                                                    uint64
	tail                                                                string
}

var peerPattern = regexp.MustCompile(`(?m)^(\S+): (.*)\n` +
	`  forwarded: (?:unknown|ifrecv (\d+), krnldrop (\d+), ifdrop (\d+), captured (\d+))\n` +
	`  received:  datagrams (\d+), bytes (\d+), frames (\d+), lost (\d+), late (\d+), duplicate (\d+), malformed (\d+), missing (?:≥ )?(\d+) frames \(tail (.*)\)\n` +
	`  output:    written (\d+), dropped (\d+)(?:, .*)?$`)

// parsePeers reads a summary.
func parsePeers(t *testing.T, summary string) (all []peer) {
	t.Helper()
	for _, m := range peerPattern.FindAllStringSubmatch(summary, -1) {
		p := peer{name: m[1], head: m[2], tail: m[15]}
		fields := append(m[3:15:15], m[16:]...)
		for i, v := range []*uint64{
			&p.ifrecv, &p.krnldrop, &p.ifdrop, &p.captured,
			&p.datagrams, &p.bytes, &p.frames, &p.lost, &p.late, &p.duplicate, &p.malformed, &p.missing,
			&p.written, &p.dropped,
		} {
			if fields[i] == "" {
				continue
			}
			n, err := strconv.ParseUint(fields[i], 10, 64)
			if err != nil {
				t.Fatalf("summary: %v", err)
			}
			*v = n
		}
		all = append(all, p)
	}
	if got, want := len(all), strings.Count(summary, "\n  received: "); got != want {
		t.Fatalf("%d of %d peers could be read in the summary:\n%s", got, want, summary)
	}
	return all
}

// one returns the only peer.
func one(t *testing.T, peers []peer) peer {
	t.Helper()
	if len(peers) != 1 {
		t.Fatalf("%d peers, want 1: %+v", len(peers), peers)
	}
	return peers[0]
}
