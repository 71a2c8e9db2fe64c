package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// errNoPerf is why there is no profile: a tool that is not everywhere.
var errNoPerf = errors.New("perf is not installed, or may not look at the agent")

// profileLength is that of a run in lengths of other runs: there are few samples of an agent
// that takes 2 % of a core.
const profileLength = 4

// cpuProfile has perf(1) look at an agent at full rate.
func (b *bench) cpuProfile(s spec) (p *cpuProfile, err error) {
	perf, err := exec.LookPath("perf")
	if err != nil {
		return nil, errNoPerf
	}
	defer func(bin string) { b.bin = bin }(b.bin)
	b.bin = b.symbols
	s.mode = modeSink
	dir := b.newDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "perf.data")
	var complaint bytes.Buffer
	var record *exec.Cmd
	s.during = func(a *agent) error {
		record = exec.Command(perf, "record", "-q", "-F", "19999", "-o", data, "-p", strconv.Itoa(a.Process.Pid))
		record.Stderr = &complaint
		return record.Start()
	}
	o, err := b.capture(s, unusedPort, nil)
	if record != nil && record.Process != nil {
		// It ends with the agent; should it not, then now.
		timer := time.AfterFunc(patience, func() { _ = record.Process.Signal(syscall.SIGINT) })
		_ = record.Wait() // what it has written counts
		timer.Stop()
	}
	if err != nil {
		return nil, err
	}
	text, err := exec.Command(perf, "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--sort", "symbol").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errNoPerf, bytes.TrimSpace(complaint.Bytes()))
	}
	entries, err := readProfile(string(text))
	if err != nil {
		return nil, err
	}
	return &cpuProfile{s.profile.name, o.rate(), s.gso, entries}, os.RemoveAll(dir)
}
