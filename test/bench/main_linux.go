package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rpcapd/test/netlab"
)

type options struct {
	quick    bool
	bin      string
	symbols  string // folder of a rpcapd with its symbols, "" for the one in bin
	json     string
	document string // write this, too
	from     string // take results from here, measure nothing
	choice
}

func parseOptions() (o options) {
	flag.BoolVar(&o.quick, "quick", false, "few sizes and rates, about two minutes instead of fifteen")
	flag.StringVar(&o.bin, "bin", "", "folder of rpcapd and rpcap-sensor (default: that of this program)")
	flag.StringVar(&o.symbols, "symbols", "", "folder of a rpcapd that has its symbols, for profiles (default: the folder -bin)")
	flag.StringVar(&o.json, "json", "", "file for the results (default: bench.json in that folder)")
	flag.StringVar(&o.document, "document", "", "write this file, too (docs/PERFORMANCE.md), and the plots into the folder of its name")
	flag.StringVar(&o.from, "from", "", "measure nothing, take the results from this JSON file")
	flag.StringVar(&o.sizes, "sizes", "", "only these: bytes or imix, separated by commas")
	flag.StringVar(&o.rates, "rates", "", "only these: frames per second or flat, separated by commas")
	flag.StringVar(&o.gso, "g", "", "tx-udp-segmentation of the uplink only on, or off (default: one after the other)")
	flag.StringVar(&o.only, "only", "", "only these parts: idle, quiet, points, jumbo, sensor, overload, profile, scale, separated by commas")
	flag.DurationVar(&o.length, "for", 0, "length of a run")
	flag.IntVar(&o.repeat, "repeat", 0, "runs into the sink for each point, and of the sensor; the median counts")
	flag.Parse()
	return o
}

func main() {
	helper()
	o := parseOptions()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	if flag.NArg() > 0 {
		return fmt.Errorf("what is %q?", flag.Arg(0))
	}
	if o.bin == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.bin = filepath.Dir(self)
	}
	if o.json == "" {
		o.json = filepath.Join(o.bin, "bench.json")
	}
	if o.from != "" {
		r, err := loadReport(o.from)
		if err != nil {
			return err
		}
		return o.finish(r)
	}
	p := fullPlan()
	if o.quick {
		p = quickPlan()
	}
	if err := p.choose(o.choice); err != nil {
		return err
	}
	if err := enter(); err != nil {
		return err
	}
	return o.measure(p)
}

// enter chooses the CPUs and goes on in namespaces, bound to the sensor's.
func enter() error {
	if os.Getenv(cpusVariable) == "" {
		c, count, err := chooseCPUs()
		if err != nil {
			return err
		}
		if err := pin(c.sensor); err != nil {
			return err
		}
		if err := os.Setenv(cpusVariable, c.encode(count)); err != nil {
			return err
		}
	}
	return netlab.Enter()
}

// measure is the course of a whole measurement.
func (o *options) measure(p plan) error {
	c, count, err := decodeCPUs(os.Getenv(cpusVariable))
	if err != nil {
		return fmt.Errorf("%s: %w", cpusVariable, err)
	}
	r := &report{Started: time.Now(), Quick: o.quick}
	if r.Machine, r.Version, err = describe(o.bin, c, count); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("/run", "bench-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the agent becomes somebody else
		return err
	}
	l, err := newLab()
	defer l.clear()
	if err != nil {
		return err
	}
	steering := l.steer(c.sensor)
	r.Machine.Steered = steering == nil
	m := &measurement{bench: &bench{lab: l, cpus: c, bin: o.bin, symbols: cmp.Or(o.symbols, o.bin), dir: dir}, plan: p, report: r}
	m.progress = progress{show: m.show, total: p.runs(), began: r.Started}
	fmt.Printf("%s\n%s, %d CPUs, Linux %s, %s. Agent on CPU %d, generator on %d, sensor on %d.\n",
		r.Version, r.Machine.CPU, count, r.Machine.Kernel, r.Machine.Go, c.agent, c.generator, c.sensor)
	if count < 2 {
		fmt.Println("With one CPU the agent shares it with the generator: take neither cost nor loss at face value.")
	}
	if steering != nil {
		fmt.Printf("%v.\nSo the agent's CPU receives for the sensor, too: take delays and loss at high rates as upper bounds.\n", steering)
	}
	if err := m.all(); err != nil {
		m.show("")
		return err
	}
	r.Seconds = time.Since(r.Started).Seconds()
	m.show("")
	if err := r.save(o.json); err != nil {
		return err
	}
	return o.finish(r)
}

// finish says how it went, and writes the document if it is wanted.
func (o *options) finish(r *report) error {
	r.conclude(os.Stdout)
	fmt.Printf("\n%.0f s. Results: %s\n", r.Seconds, cmp.Or(o.from, o.json))
	if o.document != "" {
		if err := r.document(o.document); err != nil {
			return err
		}
		fmt.Printf("Document: %s\n", o.document)
	}
	if len(r.Problems) > 0 {
		return errors.New("not all numbers add up")
	}
	return nil
}
