package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"rpcapd/test/netlab"
)

const ini = `# The interface towards the client, to the sensor of the demo.
ActiveClient = ` + sensorV4 + `, 2003, ifname=eth0
NullAuthPermit = YES
`

const (
	startLimit = 10 * time.Second
	stopLimit  = 10 * time.Second
	poll       = 20 * time.Millisecond
	// statusFile is below /run, which belongs to the namespaces of the demo alone.
	statusFile = "/run/rpcapd/status.json"
)

// folder holds what the demo leaves: configuration, logs and frames.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) read(name string) []byte {
	b, _ := os.ReadFile(f.path(name)) // not there yet is the same as empty
	return b
}

// program is one of the two daemons.
type program struct {
	*netlab.Cmd
	name string
	log  string // its standard error
	done chan error
}

// start runs a program of the folder bin on a host.
func (s *stage) start(on *netlab.Namespace, bin string, out folder, name string, args ...string) (*program, error) {
	log, err := os.Create(out.path(name + ".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &program{Cmd: on.Command(filepath.Join(bin, name), args...), name: name, log: log.Name(), done: make(chan error, 1)}
	p.Stderr = log
	if err := p.Start(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w; `make demo` builds it", err)
		}
		return nil, err
	}
	go func() { p.done <- p.Wait() }()
	return p, nil
}

// await polls until ok; it fails when the time is over or the program ends before.
func (p *program) await(what string, ok func() bool) error {
	for limit := time.Now().Add(startLimit); ; time.Sleep(poll) {
		if ok() {
			return nil
		}
		select {
		case err := <-p.done:
			return fmt.Errorf("%s ended (%v):\n%s", p.name, err, p.tail())
		default:
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%s: %s: not within %v:\n%s", p.name, what, startLimit, p.tail())
		}
	}
}

// stop asks the program to end, and expects that it does so in order.
func (p *program) stop() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			return fmt.Errorf("stop %s: %w:\n%s", p.name, err, p.tail())
		}
		return nil
	case <-time.After(stopLimit):
		return fmt.Errorf("stop %s: still running after %v:\n%s", p.name, stopLimit, p.tail())
	}
}

// tail returns the end of the program's log.
func (p *program) tail() []byte {
	const most = 2048 // bytes
	b, _ := os.ReadFile(p.log)
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return bytes.TrimSpace(b)
}

// forwarded is what the agent's status file says of its one session.
type forwarded struct {
	State   string
	Capture struct {
		Running     bool
		Received    uint64 // frames that the filter accepted
		RingDrops   uint64 `json:"ring_drops"`
		Packed      uint64
		Datagrams   uint64
		SendDropped uint64 `json:"send_dropped"`
	}
}

// agentStatus returns the zero value as long as there is none.
func agentStatus() (x forwarded) {
	var status struct{ Sessions []forwarded }
	b, err := os.ReadFile(statusFile)
	if err == nil && json.Unmarshal(b, &status) == nil && len(status.Sessions) == 1 {
		x = status.Sessions[0]
	}
	return x
}

// received is what the sensor's summary says of its one peer.
type received struct{ datagrams, frames, lost, missing, written uint64 }

var summaryPattern = regexp.MustCompile(
	`received: +datagrams (\d+), .*frames (\d+), lost (\d+), .*missing (\d+) frames.*\n +output: +written (\d+)`)

// summary returns the sensor's own last words, and what they say.
func summary(log []byte) (text []byte, r received, err error) {
	i := bytes.Index(log, []byte("\nrpcap-sensor: "))
	if i < 0 {
		return nil, r, errors.New("read summary: the sensor has printed none")
	}
	text = log[i+1:]
	m := summaryPattern.FindSubmatch(text)
	if m == nil {
		return nil, r, fmt.Errorf("read summary: no peer in it:\n%s", text)
	}
	for i, v := range []*uint64{&r.datagrams, &r.frames, &r.lost, &r.missing, &r.written} {
		if *v, err = strconv.ParseUint(string(m[i+1]), 10, 64); err != nil {
			return nil, r, fmt.Errorf("read summary: %w", err)
		}
	}
	return text, r, nil
}
