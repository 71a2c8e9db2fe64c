package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) {
	helper()
	if c, count, err := chooseCPUs(); err == nil {
		os.Setenv(cpusVariable, c.encode(count))
	}
	netlab.Main(m)
}

// newBench makes the hosts for a test.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{bin: harness.Folder(t)}
	var err error
	if b.cpus, _, err = chooseCPUs(); err != nil {
		t.Fatal(err)
	}
	if b.dir, err = os.MkdirTemp("/run", "bench-"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(b.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b.lab, err = newLab()
	t.Cleanup(b.clear)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Under load at least runBound datagrams leave with one system call, whatever the size of
// the frames. Load is a ring full of frames: whether they came fast does not matter.
func TestRootRunsAreLong(t *testing.T) {
	t.Parallel()
	const (
		bytes = 4 << 20 // of frames; the ring has 16 MiB for them and their headers
		most  = 20_000  // frames
	)
	b := newBench(t)
	for _, p := range fullPlan().profiles {
		s := spec{mode: modeSink, profile: p, length: patience, held: min(most, uint64(bytes/p.mean()))}
		c, wrong, err := b.cost(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(wrong) > 0 {
			t.Errorf("%v: %q", s, wrong)
		}
		// A generator that has to wait for its CPU leaves blocks of the ring half empty, and may not find room in the end.
		if c.Captured < s.held/4 || c.SendDropped > 0 {
			t.Errorf("%v: of %d frames %d were captured, %d datagrams were dropped", s, s.held, c.Captured, c.SendDropped)
		}
		if c.run() < runBound {
			t.Errorf("%v: %d datagrams in %d sends: %.1f at once, at least %d are promised", s, c.Datagrams, c.Sends, c.run(), runBound)
		}
	}
}

// All of the benchmark, in short: so that it is there when it is needed.
func TestRootAllParts(t *testing.T) {
	t.Parallel()
	o := options{bin: harness.Folder(t), quick: true}
	dir := t.TempDir()
	o.json, o.document = filepath.Join(dir, "bench.json"), filepath.Join(dir, "PERFORMANCE.md")
	const short = 200 * time.Millisecond
	p := plan{
		profiles: profiles("imix"), rates: []float64{0}, gso: []bool{true}, length: short, repeat: 1, idle: short,
		jumboProfiles: profiles("9000"), jumboRates: []float64{2000}, jumboGSO: []bool{false},
		sensorProfiles: profiles("1514"), sensorRates: []float64{2000}, sensorRepeat: 1,
		overloadProfiles: profiles("1514"), profiled: profiles("64"),
		fleet: fleetPlan{agents: 20, sending: 5, rate: 500, idle: short, load: short},
	}
	err := o.measure(p)
	for try := 0; try < 3 && err != nil && strings.Contains(err.Error(), "read profile: no entry"); try++ {
		err = o.measure(p) // perf may not have had its turn in so short a time
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := loadReport(o.json)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Points) != 2 || r.Idle == nil || len(r.Sensor) != 1 || len(r.Overload) != 1 || r.Scale == nil {
		t.Fatalf("parts are missing: %+v", r)
	}
	for _, p := range r.Points {
		if p.Sink.Captured == 0 || p.Real.Intact == 0 || p.Real.Delay.Frames != p.Real.Intact || p.Sink.CPUNanoseconds == 0 {
			t.Errorf("not measured: %+v, %+v", p.Sink, p.Real)
		}
		if limit := p.Sink.DatagramLimit; limit != 1472 && !p.Jumbo || limit != 8972 && p.Jumbo {
			t.Errorf("jumbo %v: datagrams of %d bytes", p.Jumbo, limit)
		}
	}
	if s := r.Sensor[0]; s.Agent == 0 || s.Check == 0 || s.Pcapng == 0 {
		t.Errorf("not measured: %+v", s)
	}
	if o := r.Overload[0]; o.Captured == 0 || !o.adds() {
		t.Errorf("overload: %q", o.Lines())
	}
	// An agent may dial before the measurement knows that the sensor listens again.
	if s := r.Scale; s.Load.Packed == 0 || s.Load.Received == 0 || s.Restart.Refused+s.Restart.Attempts < 20 || s.PeakMemory == 0 {
		t.Errorf("not measured: %+v", s)
	}
	text, err := os.ReadFile(o.document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| imix | flat |", "| 9000 | 2000 |", "performance/cost-gso-on.svg", "| 1514 | 2000 |", "20 agents connected"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "performance", "loss-gso-on.svg")); err != nil {
		t.Error(err)
	}
}
