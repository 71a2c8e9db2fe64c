package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// column is one column of the table of points.
type column struct {
	name  string
	width int // 0: as wide as the name
	cell  func(p *point) string
}

// inSink and inReal make cells of what one of the modes measured.
func inSink(f func(c *cost) string) func(p *point) string {
	return func(p *point) string {
		if p.Sink == nil {
			return "-"
		}
		return f(p.Sink)
	}
}

func inReal(f func(r *path) string) func(p *point) string {
	return func(p *point) string {
		if p.Real == nil {
			return "-"
		}
		return f(p.Real)
	}
}

var columns = []column{
	{"bytes", 5, func(p *point) string { return p.Size }},
	{"asked/s", 7, func(p *point) string { return rateText(p.Rate) }},
	{"sent/s", 7, inSink(func(c *cost) string { return fmt.Sprintf("%.0f", c.rate()) })},
	{"Gbit/s", 6, inSink(func(c *cost) string { return fmt.Sprintf("%.2f", c.gbits()) })},
	{"ns/frame", 8, inSink(func(c *cost) string { return fmt.Sprintf("%.0f", c.perFrame()) })},
	{"spread", 6, func(p *point) string { return fmt.Sprintf("%.0f %%", p.spread()) }},
	{"CPU %", 5, inSink(func(c *cost) string { return fmt.Sprintf("%.1f", c.cpu()) })},
	{"run", 4, inSink(func(c *cost) string { return fmt.Sprintf("%.1f", c.run()) })},
	{"wire", 5, inSink(func(c *cost) string { return fmt.Sprintf("%.3f", c.wire()) })},
	{"ring %", 6, func(p *point) string { return percent(p.ringLoss()) }},
	{"send %", 6, func(p *point) string { return percent(p.sendLoss()) }},
	{"path %", 6, func(p *point) string { return percent(p.pathLoss()) }},
	{"sensor %", 8, func(p *point) string { return percent(p.sensorLoss()) }},
	{"p50 ms", 6, inReal(func(r *path) string { return fmt.Sprintf("%.2f", r.Delay.P50) })},
	{"p99", 5, inReal(func(r *path) string { return fmt.Sprintf("%.1f", r.Delay.P99) })},
	{"p99.9", 5, inReal(func(r *path) string { return fmt.Sprintf("%.1f", r.Delay.P999) })},
	{"max", 5, inReal(func(r *path) string { return fmt.Sprintf("%.1f", r.Delay.Max) })},
	{"MiB", 4, inSink(func(c *cost) string { return mebibytes(c.PeakMemory) })},
	{"waited", 6, waitedCell},
}

// waitedCell is the larger of the two, with a mark if the point was disturbed.
func waitedCell(p *point) string {
	most, mark := 0.0, ""
	for _, f := range p.flows() {
		if most = max(most, f.waited()); f.disturbed() {
			mark = "!"
		}
	}
	return fmt.Sprintf("%.1f %%%s", most, mark)
}

// percent shows nothing as 0 and anything as more than that.
func percent(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 0.001:
		return "<.001"
	}
	return fmt.Sprintf("%.3g", x)
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

func tableHead() string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "%*s ", max(c.width, len(c.name)), c.name)
	}
	return b.String()
}

func tableRow(p *point) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "%*s ", max(c.width, len(c.name)), c.cell(p))
	}
	return b.String()
}

const legend = `ns/frame: CPU time of the agent's process for each captured frame, the median of the runs; spread: of the runs around it;
CPU %: of one core; run: datagrams sent together; wire: bytes on the wire, UDP and IP headers included, for each byte
captured; ring, send: share lost there, the median; path: likewise; sensor: likewise, where its receive buffer overflowed;
p50 to max: milliseconds from capture to the sensor's interface; MiB: peak memory; waited: share of the time in which
something else had the agent's CPU (! more than 2 %, after three attempts: take the delays of this line, and what is lost
in the ring, as an upper bound).`

const sensorHead = "bytes asked/s  gso  agent ns  check ns  ratio  pcapng ns  ratio  missing  dropped"

func sensorRow(s *sensing) string {
	return fmt.Sprintf("%5s %7s %4s %9.0f %9.0f %6.2f %10.0f %6.2f %8d %8d", s.Size, rateText(s.Rate), onOff(s.GSO),
		s.Agent, s.Check, s.CheckRatio, s.Pcapng, s.PcapngRatio, s.Missing(), s.Dropped())
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// progress is a line on a terminal that is overwritten, and nothing elsewhere.
type progress struct {
	show  func(string)
	total int
	done  int
	began time.Time
}

func (p *progress) step(what string) {
	left := ""
	if p.done > 2 {
		each := time.Since(p.began) / time.Duration(p.done)
		left = fmt.Sprintf(", %v left", (each * time.Duration(p.total-p.done)).Round(time.Second))
	}
	p.done++
	p.show(fmt.Sprintf("[%d/%d%s] %s", p.done, p.total, left, what))
}

// conclude prints what the numbers mean, the promises, and what is wrong.
func (r *report) conclude(w io.Writer) {
	if len(r.Points) > 0 {
		fmt.Fprintln(w, "\n"+legend)
	}
	fmt.Fprintln(w)
	for _, b := range r.bounds() {
		fmt.Fprintln(w, b.String())
	}
	for i, p := range r.Problems {
		if i == 0 {
			fmt.Fprintln(w, "\nWhat does not add up:")
		}
		fmt.Fprintln(w, "  "+p)
	}
}
