package main

import (
	"bytes"
	"fmt"
	"os"

	"time"

	"rpcapd/test/netlab"
	"rpcapd/test/simulator"
)

// fleetSensor is where the sensor of a fleet listens.
const fleetSensor = "127.0.0.1"

// fleetPatience is the longest wait for all agents of a fleet, over a minute to see what
// a bound of one misses.
const fleetPatience = 90 * time.Second

// fleetSensors starts instances of rpcap-sensor one after the other, and knows the most
// memory that any of them had.
type fleetSensors struct {
	*bench
	on         *netlab.Namespace
	peakMemory uint64
}

func (f *fleetSensors) start() (*process, error) {
	p, err := start(f.on, f.cpus.agent, f.bin, f.newDir(), "rpcap-sensor", "-w", os.DevNull, "--listen", fleetSensor)
	if err != nil {
		return nil, err
	}
	return p, p.await("listening", func() bool { return bytes.Contains(p.text(), []byte("waiting for agents")) })
}

func (f *fleetSensors) end(p *process) error {
	n, err := p.peakMemory()
	if err != nil {
		return err
	}
	f.peakMemory = max(f.peakMemory, n)
	return p.stop()
}

// scale measures rpcap-sensor with a fleet of simulated agents in a host of their own.
func (b *bench) scale(plan fleetPlan, step func(string)) (*scale, []string, error) {
	s := &scale{Agents: plan.agents}
	sensors := &fleetSensors{bench: b, on: b.fleet}
	p, err := sensors.start()
	if err != nil {
		return nil, nil, err
	}
	step(fmt.Sprintf("%d agents connect and are idle", plan.agents))
	began := time.Now()
	f, err := newFleet(b.fleet, b.cpus.generator, b.newDir(), plan.agents)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	before, err := f.all(plan.agents, fleetPatience)
	if err != nil {
		return nil, nil, err
	}
	s.Connect = time.Since(began).Seconds()
	if s.IdleCPU, s.IdleSeconds, err = p.share(func() error { time.Sleep(plan.idle); return nil }); err != nil {
		return nil, nil, err
	}
	step(fmt.Sprintf("%d of them send", plan.sending))
	if err := s.Load.measure(plan, f, p, before); err != nil {
		return nil, nil, err
	}
	step("sensor restarts")
	if err := s.Restart.measure(plan, f, p, sensors); err != nil {
		return nil, nil, err
	}
	s.PeakMemory = sensors.peakMemory
	wrong, err := s.Load.summary(p.text())
	return s, wrong, err
}

// share is the process's part of a core, in per cent, while something goes on.
func (p *process) share(during func() error) (percent, seconds float64, err error) {
	before, err := p.cpuTime()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := during(); err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	after, err := p.cpuTime()
	return 100 * float64(after-before) / float64(took), took.Seconds(), err
}

// measure has some agents send for a while.
func (l *load) measure(plan fleetPlan, f *fleet, p *process, before simulator.Numbers) (err error) {
	l.Sending, l.Rate = plan.sending, plan.rate
	if l.CPU, l.Seconds, err = p.share(func() error {
		if _, err := f.ask(simulator.Load{Sending: plan.sending, Rate: plan.rate}); err != nil {
			return err
		}
		time.Sleep(plan.load)
		_, err := f.ask(simulator.Load{})
		return err
	}); err != nil {
		return err
	}
	time.Sleep(settle)
	n, err := f.ask(simulator.Load{})
	l.Packed, l.SendDropped = n.Packed-before.Packed, n.SendDropped-before.SendDropped
	return err
}

// measure ends the sensor, starts another one and waits until all agents have found it.
func (r *restart) measure(plan fleetPlan, f *fleet, p *process, sensors *fleetSensors) error {
	if _, err := f.ask(simulator.Load{}); err != nil { // what was before does not count
		return err
	}
	signalled := time.Now()
	if err := sensors.end(p); err != nil {
		return err
	}
	r.Stop = time.Since(signalled).Seconds()
	time.Sleep(time.Until(signalled.Add(plan.away)))
	next, err := sensors.start()
	if err != nil {
		return err
	}
	listening := time.Now()
	r.Away = listening.Sub(signalled).Seconds()
	n, err := f.all(plan.agents, fleetPatience)
	if err != nil {
		return err
	}
	r.Back = time.Since(listening).Seconds()
	r.count(n.Attempts, n.Handshakes, listening)
	time.Sleep(settle)
	return sensors.end(next)
}

// summary takes over what the sensor printed about its peers.
func (l *load) summary(text []byte) (wrong []string, err error) {
	n, err := readBooks(text)
	if err != nil {
		return nil, err
	}
	l.Received, l.Missing, l.Written, l.SinkDropped = n.Received, n.Missing, n.Written, n.SinkDropped
	wrong = n.check()
	if l.Packed != n.Forwarded {
		wrong = append(wrong, fmt.Sprintf("the agents packed %d frames and told rpcap-sensor of %d", l.Packed, n.Forwarded))
	}
	return wrong, nil
}
