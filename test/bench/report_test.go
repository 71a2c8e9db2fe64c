package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/test/simulator"
)

func TestHistogramIsRightWithinAFewPercent(t *testing.T) {
	var h histogram
	for i := range 100_000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for _, q := range []float64{.01, .5, .99, .999, 1} {
		got, want := float64(h.quantile(q)), q*100_000*float64(time.Microsecond)
		if got < want*0.999 || got > want*1.016 {
			t.Errorf("quantile %v: %v, want %v", q, time.Duration(got), time.Duration(want))
		}
	}
	for i := range uint64(1 << 20) {
		if b := bucket(i); upper(b) < i || b > 0 && upper(b-1) >= i {
			t.Fatalf("%d is in bucket %d, which ends at %d", i, b, upper(b))
		}
	}
	if b := bucket(math.MaxInt64); b >= len(h.buckets) {
		t.Errorf("bucket %d", b)
	}
	if (&histogram{}).quantile(.5) != 0 {
		t.Error("something in nothing")
	}
}

func TestMedianOfRuns(t *testing.T) {
	p := point{Runs: []round{{PerFrame: 90, Ring: 50}, {PerFrame: 120}, {PerFrame: 100}}}
	if p.ringLoss() != 0 || p.loss() != 0 || p.spread() != 30 {
		t.Errorf("ring %v, loss %v, spread %v", p.ringLoss(), p.loss(), p.spread())
	}
	p.Runs = []round{{Ring: 50, Send: 50}}
	if p.loss() != 75 {
		t.Errorf("loss %v", p.loss())
	}
}

func TestBusiestSecond(t *testing.T) {
	var list []simulator.Attempt
	at := time.Unix(1e9, 0)
	for _, ms := range []int{5000, 0, 100, 999, 1000, 1099, 1100, 4100} {
		list = append(list, simulator.Attempt{At: at.Add(time.Duration(ms) * time.Millisecond)})
	}
	if n := busiest(list, time.Second); n != 4 { // 100 to 1099, and 999 to 1100
		t.Errorf("%d", n)
	}
}

// well is a report in which every promise is kept.
func well() *report {
	f := flow{
		Sent: 1000, SentBytes: 1514e3, Seconds: .01, Captured: 1000, CapturedBytes: 1514e3, Packed: 1000,
		Datagrams: 1040, ExportedBytes: 1514e3 + 20*1000 + 8*1040, Sends: 26, PeakMemory: 25 << 20, CPUNanoseconds: 300_000,
	}
	return &report{
		Idle:    &idle{CPUPercent: .01},
		Machine: machine{Steered: true},
		Points: []point{{
			Size: "1514", Mean: 1514, GSO: true, Runs: []round{{PerFrame: 300}},
			Sink: &cost{flow: f}, Real: &path{flow: f, Arrived: 1040, Intact: 1000, Delay: delay{P999: 15}},
		}},
		Sensor:   []sensing{{Size: "1514", Rate: 60000, GSO: true, Rounds: 3, Agent: 300, Check: 290, CheckRatio: .97, Pcapng: 590, PcapngRatio: 1.97}},
		Overload: []overload{{Size: "64", path: path{flow: flow{Sent: 10, RingDrops: 4, Captured: 6, Packed: 6}, Intact: 5, Missing: 1}}},
		Profiles: []cpuProfile{{Size: "64", Entries: []symbol{{50, "memmove", false}, {20, "udp_sendmsg", true}}}},
		Scale: &scale{
			Agents: 1000, PeakMemory: 60 << 20, IdleCPU: 1,
			Load:    load{Sending: 200, Rate: 500, Packed: 1e6, Received: 1e6, Written: 1e6},
			Restart: restart{Back: 5, Attempts: 1000, HandshakeMax: 100},
		},
	}
}

func missed(r *report) (list []string) {
	for _, b := range r.bounds() {
		if !b.Kept {
			list = append(list, b.Promise)
		}
	}
	return list
}

func TestEveryPromiseCanBeBroken(t *testing.T) {
	all := well().bounds()
	if list := missed(well()); len(list) > 0 {
		t.Fatalf("not kept: %q", list)
	}
	broken := make(map[string]bool)
	for what, change := range map[string]func(r *report){
		"idle":      func(r *report) { r.Idle.CPUPercent = .3 },
		"memory":    func(r *report) { r.Points[0].Real.PeakMemory = 29 << 20 },
		"loss":      func(r *report) { r.Points[0].Runs[0].Ring = .1 },
		"runs":      func(r *report) { r.Points[0].Sink.Sends = 40 },
		"delay":     func(r *report) { r.Points[0].Real.Delay.P999 = 26 },
		"check":     func(r *report) { r.Sensor[0].CheckRatio = 1.1 },
		"pcapng":    func(r *report) { r.Sensor[0].PcapngRatio = 2.1 },
		"account":   func(r *report) { r.Overload[0].Intact-- },
		"fleet":     func(r *report) { r.Scale.PeakMemory = 300 << 20 },
		"its rest":  func(r *report) { r.Scale.IdleCPU = 20 },
		"its way":   func(r *report) { r.Scale.Restart.Back = 60 },
		"its herd":  func(r *report) { r.Scale.Restart.Attempts++ },
		"its load":  func(r *report) { r.Scale.Load.Missing = 1 },
		"its start": func(r *report) { r.Scale.Load.Packed, r.Scale.Load.Written = 0, 0 },
	} {
		r := well()
		change(r)
		list := missed(r)
		if len(list) == 0 {
			t.Errorf("%s: nothing is missed", what)
		}
		for _, p := range list {
			broken[p] = true
		}
	}
	for _, b := range all {
		if !broken[b.Promise] {
			t.Errorf("never missed: %s", b.Promise)
		}
	}
	// A run that others disturbed says nothing about delays.
	r := well()
	r.Points[0].Real.Delay.P999, r.Points[0].Real.WaitedNanoseconds = 100, int64(time.Millisecond)
	if list := missed(r); len(list) > 0 {
		t.Errorf("%q", list)
	}
}

func TestBooks(t *testing.T) {
	p := well().Points[0].Real
	ip := ipTraffic{packets: 26 + 3, octets: p.ExportedBytes + 28*26 + 3*60}
	if wrong := append(p.flow.books(1000, ip), p.books()...); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
	for what, change := range map[string]func(p *path){
		"a frame too many":    func(p *path) { p.Packed++ },
		"one that vanished":   func(p *path) { p.Intact-- },
		"a byte too few":      func(p *path) { p.ExportedBytes-- },
		"one damaged":         func(p *path) { p.Intact--; p.Bad++ },
		"one twice":           func(p *path) { p.Disordered++ },
		"missing for nothing": func(p *path) { p.Intact--; p.Missing++ },
	} {
		x := *p
		change(&x)
		if wrong := append(x.flow.books(1000, ip), x.books()...); len(wrong) == 0 {
			t.Errorf("%s is not noticed", what)
		}
	}
}

func TestDocumentAndPlots(t *testing.T) {
	r := well()
	slow := r.Points[0]
	s := *slow.Sink
	s.Sent, slow.Sink, slow.Rate = 10, &s, 1000
	r.Points = append(r.Points, slow)
	r.Problems = []string{"two is not three"}
	dir := t.TempDir()
	if err := r.save(filepath.Join(dir, "x.json")); err != nil {
		t.Fatal(err)
	}
	again, err := loadReport(filepath.Join(dir, "x.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.document(filepath.Join(dir, "PERFORMANCE.md")); err != nil {
		t.Fatal(err)
	}
	plots := again.plots()
	if len(plots) != 2 {
		t.Errorf("%d plots", len(plots))
	}
	for name, svg := range plots {
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "%!") {
			t.Errorf("%s: %s", name, svg)
		}
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

func TestMarksOfAnAxis(t *testing.T) {
	a := axis{low: 1000, high: 470_000, log: true, to: 100}
	a.round()
	if want := []float64{1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5}; !slices.Equal(a.marks(), want) {
		t.Errorf("%v", a.marks())
	}
	if a.place(1000) != 0 || a.place(500_000) != 100 || a.place(5e6) != 100 {
		t.Errorf("%v, %v", a.place(1000), a.place(500_000))
	}
	a = axis{high: 37, to: 100}
	a.round()
	if want := []float64{0, 10, 20, 30, 40}; !slices.Equal(a.marks(), want) {
		t.Errorf("%v", a.marks())
	}
}

func TestChoiceOfRuns(t *testing.T) {
	p := fullPlan()
	if err := p.choose(choice{sizes: "64,imix", rates: "1000,flat", gso: "on", only: "points,sensor"}); err != nil {
		t.Fatal(err)
	}
	if len(p.profiles) != 2 || !slices.Equal(p.rates, []float64{1000, 0}) || !slices.Equal(p.gso, []bool{true}) ||
		p.idle != 0 || len(p.jumboProfiles) != 0 || len(p.sensorProfiles) != 2 || p.fleet.agents != 0 {
		t.Errorf("%+v", p)
	}
	for _, c := range []choice{{sizes: "49"}, {sizes: "9001"}, {sizes: "x"}, {rates: "0"}, {rates: "-1"}, {rates: "NaN"}, {gso: "maybe"}, {only: "all"}} {
		if err := p.choose(c); err == nil {
			t.Errorf("%+v is no error", c)
		}
	}
}

func TestProfileIsRead(t *testing.T) {
	list, err := readProfile("# Samples: 5K\n#\n    34.77%  [k] finish_task_switch.isra.0      -      -\n     9.20%  [.] runtime.memmove    -      -\n\n")
	if err != nil || !slices.Equal(list, []symbol{{34.77, "finish_task_switch.isra.0", true}, {9.2, "runtime.memmove", false}}) {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := readProfile("# nothing"); err == nil {
		t.Error("nothing was read without an error")
	}
}
