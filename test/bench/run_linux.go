package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// mode says where the datagrams of a run go.
type mode string

const (
	modeSink mode = "sink"
	modeReal mode = "real"
)

// spec is one run.
type spec struct {
	mode    mode
	gso     bool // the uplink takes super-packets whole
	jumbo   bool
	profile profile
	rate    float64 // frames per second, 0: flat out
	length  time.Duration
	// held makes a run that does not depend on time: so many frames gather in the ring while
	// the agent is stopped. 0: the agent runs meanwhile.
	held uint64
	// warm has as many frames as can be made sent for so long before anything is measured, so
	// that the receiving process has its memory. Their costs do not count, their frames do.
	warm time.Duration
	// starved takes the agent's CPU from it most of the time.
	starved bool
	// free lets the agent use every CPU.
	free bool
	// during is called when all is ready, before the frames come; nil: nothing is to be done.
	during func(*agent) error
}

func (s spec) String() string {
	return fmt.Sprintf("%s bytes, %s/s, %s, %v", s.profile.name, rateText(s.rate), series{s.gso, s.jumbo}.name(), s.mode)
}

// cpus says who runs where.
type cpus struct{ agent, generator, sensor int }

// bench runs specs.
type bench struct {
	*lab
	cpus    cpus
	bin     string // folder of the programs
	symbols string // folder of a rpcapd that is not stripped
	dir     string // folder for configurations, logs and status files
	runs    int
}

// settle is how long a capture runs before frames come.
const settle = 150 * time.Millisecond

// beginning is after how long an agent without frames has written in its status that the capture has begun.
const beginning = 1500 * time.Millisecond

// outcome is what a run brought, whatever its mode.
type outcome struct {
	flow
	received uint64    // frames that reached the filter
	warm     generated // of what was sent, what came before the measurement
	left     traffic
	arrived  received
	own      time.Duration // CPU time of the collector, from the capture's start to its end
}

func (b *bench) newDir() string {
	b.runs++
	return filepath.Join(b.dir, strconv.Itoa(b.runs))
}

// startAgent prepares the links and runs an agent until the function that is returned
// is called; files of runs that went well are removed.
func (b *bench) startAgent(s spec) (a *agent, stop func(error) error, err error) {
	if err := b.set(s); err != nil {
		return nil, nil, err
	}
	var args []string
	if s.jumbo {
		args = []string{"-t", "jumbo"}
	}
	dir := b.newDir()
	cpu := b.cpus.agent
	if s.free {
		cpu = everyCPU
	}
	a, err = startAgent(b.lab, cpu, b.bin, dir, args...)
	if err != nil {
		return nil, nil, err
	}
	return a, func(err error) error {
		e := a.stop()
		if err != nil {
			return fmt.Errorf("%w\nthe agent said: %s", err, a.tail())
		}
		if e == nil {
			os.RemoveAll(dir)
		}
		return e
	}, nil
}

// unusedPort is a data port on which nobody listens: nothing arrives.
const unusedPort = 9999

// cost measures a run into the sink.
func (b *bench) cost(s spec) (c *cost, wrong []string, err error) {
	s.mode = modeSink
	o, err := b.capture(s, unusedPort, nil)
	if err != nil {
		return nil, nil, err
	}
	c = &cost{flow: o.flow, SinkDropped: o.left.dropped}
	wrong = c.flow.books(o.received, ipTraffic{o.left.packets, o.left.octets})
	want := c.Datagrams
	if s.gso {
		want = c.Sends
	}
	if o.left.device+o.left.dropped < want {
		wrong = append(wrong, fmt.Sprintf("%d packets were sent, the sink counted %d", want, o.left.device))
	}
	return c, wrong, nil
}

// path measures a run to the sensor.
func (b *bench) path(s spec) (*path, []string, error) {
	var from receiver
	if err := b.sensor.Do(func() (err error) {
		from, err = newStampedReceiver()
		return err
	}); err != nil {
		return nil, nil, fmt.Errorf("open data port: %w", err)
	}
	p, _, wrong, err := b.receive(s, receiveStream(from, s.profile))
	return p, wrong, err
}

// receive measures a run to a collector.
func (b *bench) receive(s spec, in collector) (p *path, o outcome, wrong []string, err error) {
	s.mode = modeReal
	if o, err = b.capture(s, in.port(), in); err != nil {
		_, _ = in.finish(0) // err counts; a second time does no harm
		return nil, o, nil, err
	}
	g := &o.arrived
	p = &path{
		flow: o.flow, Arrived: g.Datagrams, Lost: o.Datagrams - min(o.Datagrams, g.Used), SocketDrops: g.SocketDrops,
		Intact: g.Intact, Bad: g.Bad, Disordered: g.Disordered, Missing: g.Missing, Delay: g.Delay,
	}
	wrong = append(p.flow.books(o.received, ipTraffic{o.left.packets, o.left.octets}), p.books()...)
	if g.Fault != "" {
		wrong = append(wrong, g.Fault)
	}
	return p, o, wrong, nil
}

// capture runs an agent with one capture, while the generator sends. in receives, if
// anybody does, and is finished afterwards.
func (b *bench) capture(s spec, port uint16, in collector) (o outcome, err error) {
	a, stop, err := b.startAgent(s)
	if err != nil {
		return o, err
	}
	defer func() { err = stop(err) }()
	control, err := acceptAgent(b.listener)
	if err != nil {
		return o, err
	}
	defer control.conn.Close()
	if err := control.startCapture(port); err != nil {
		return o, err
	}
	time.Sleep(settle)
	before, err := b.sent()
	if err != nil {
		return o, err
	}
	if s.warm > 0 {
		if o.warm, err = b.generate(spec{profile: s.profile, length: s.warm}, 0); err != nil {
			return o, err
		}
		if err := control.drained(); err != nil {
			return o, err
		}
		time.Sleep(settle)
	}
	agentBefore, err := a.cpuTime()
	if err != nil {
		return o, err
	}
	waitedBefore, err := a.waited()
	if err != nil {
		return o, err
	}
	var ownBefore time.Duration
	if in != nil {
		if ownBefore, err = in.cpuTime(); err != nil {
			return o, err
		}
	}
	sent, err := b.generateFor(a, s, o.warm.Frames)
	if err != nil {
		return o, err
	}
	if err := control.drained(); err != nil {
		return o, err
	}
	agentAfter, err := a.cpuTime()
	if err != nil {
		return o, err
	}
	waitedAfter, err := a.waited()
	if err != nil {
		return o, err
	}
	if o.PeakMemory, err = a.peakMemory(); err != nil {
		return o, err
	}
	if err := control.endCapture(); err != nil {
		return o, err
	}
	numbers, err := control.stats()
	if err != nil {
		return o, err
	}
	if in != nil {
		if o.arrived, err = in.finish(uint64(numbers.Captured)); err != nil {
			return o, err
		}
		o.own = o.arrived.CPU - ownBefore
	}
	status, err := a.final()
	if err != nil {
		return o, err
	}
	after, err := b.sent()
	o.left, o.CPUNanoseconds = after.less(before), int64(agentAfter-agentBefore)
	o.WaitedNanoseconds = max(0, int64(waitedAfter-waitedBefore))
	o.fill(sent.plus(o.warm), status)
	return o, err
}

// fill takes over what generator and agent say.
func (o *outcome) fill(sent generated, c captureStatus) {
	o.received = c.Received
	f := &o.flow
	f.Sent, f.SentBytes, f.Seconds = sent.Frames, sent.Bytes, sent.Seconds
	f.LinkLost = sent.Frames - min(sent.Frames, c.Received)
	f.RingDrops, f.Captured, f.CapturedBytes, f.Packed = c.RingDrops, c.Captured, c.CapturedBytes, c.Packed
	f.Datagrams, f.SendDropped, f.ExportedBytes, f.Sends = c.Datagrams, c.SendDropped, c.SentBytes, c.Sends
	f.DatagramLimit = c.DatagramLimit
}

// generateFor generates, while the agent runs or is stopped.
func (b *bench) generateFor(a *agent, s spec, first uint64) (done generated, err error) {
	if s.during != nil {
		if err := s.during(a); err != nil {
			return done, err
		}
	}
	if s.starved {
		defer a.starve()()
	}
	if s.held == 0 {
		return b.generate(s, first)
	}
	if err := a.Process.Signal(syscall.SIGSTOP); err != nil {
		return done, fmt.Errorf("stop the agent for a while: %w", err)
	}
	done, err = b.generate(s, first)
	if e := a.Process.Signal(syscall.SIGCONT); err == nil && e != nil {
		err = fmt.Errorf("let the agent go on: %w", e)
	}
	return done, err
}

// generate has frames sent and waits until they have been. The first has the given number.
func (b *bench) generate(s spec, first uint64) (done generated, err error) {
	g := generator{Interface: "eth0", CPU: b.cpus.generator, Rate: s.rate, For: s.length, Count: s.held, First: first, Profile: s.profile}
	cmd := b.generator.Command("/proc/self/exe", g.arguments()...)
	cmd.Env = append(os.Environ(), helperVariable+"="+helperGenerate)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return done, fmt.Errorf("generator: %w: %s", err, bytes.TrimSpace(complaint.Bytes()))
	}
	if err := json.Unmarshal(out, &done); err != nil {
		return done, fmt.Errorf("generator: %w", err)
	}
	return done, nil
}

// idle measures an agent that captures nothing for a while.
func (b *bench) idle(length time.Duration, free bool) (i *idle, err error) {
	a, stop, err := b.startAgent(spec{mode: modeReal, free: free})
	if err != nil {
		return nil, err
	}
	defer func() { err = stop(err) }()
	control, err := acceptAgent(b.listener)
	if err != nil {
		return nil, err
	}
	defer control.conn.Close()
	if err := control.startCapture(unusedPort); err != nil {
		return nil, err
	}
	time.Sleep(beginning)
	before, err := a.cpuTime()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	time.Sleep(length)
	took := time.Since(began)
	after, err := a.cpuTime()
	if err != nil {
		return nil, err
	}
	memory, err := a.peakMemory()
	return &idle{took.Seconds(), 100 * (after - before).Seconds() / took.Seconds(), memory}, err
}
