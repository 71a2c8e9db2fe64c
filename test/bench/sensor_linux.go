package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"time"
)

// sensorFirst gives the sensor the CPU that only the agent has otherwise, so that the costs
// of the two are measured under the same conditions. What is returned gives it back.
func (b *bench) sensorFirst() (restore func()) {
	was := b.cpus
	if was.sensor == was.generator {
		b.cpus.agent, b.cpus.sensor = was.sensor, was.agent
	}
	return func() { b.cpus = was }
}

// warmUp is long enough for the queues of a sensor to have grown to what they need.
const warmUp = 150 * time.Millisecond

// check measures what this program's own sensor pays for receiving, putting together
// and checking, with the socket that rpcap-sensor uses.
func (b *bench) check(s spec, to *sensing) (wrong []string, err error) {
	defer b.sensorFirst()()
	dir := b.newDir()
	in, err := newReceivingProcess(b.sensor, b.cpus.sensor, dir, s.profile)
	if err != nil {
		return nil, err
	}
	s.warm = warmUp
	p, o, wrong, err := b.receive(s, in)
	if err != nil {
		return nil, err
	}
	os.RemoveAll(dir)
	to.Sent, to.Seconds = p.Sent, p.Seconds
	to.Check = ratio(float64(o.own), share(p.Intact, p.Sent-o.warm.Frames, p.Sent))
	to.CheckMissing = p.Missing
	return wrong, nil
}

// pcapng measures rpcap-sensor writing a file that is thrown away.
func (b *bench) pcapng(s spec, to *sensing) (wrong []string, err error) {
	defer b.sensorFirst()()
	s.mode = modeReal
	if err := b.listener.Close(); err != nil { // rpcap-sensor wants the port
		return nil, err
	}
	defer func() { err = errors.Join(err, b.listen()) }()
	if err := b.set(s); err != nil {
		return nil, err
	}
	dir := b.newDir()
	p, err := start(b.sensor, b.cpus.sensor, b.bin, dir, "rpcap-sensor", "-w", os.DevNull, "--interface", "cap0")
	if err != nil {
		return nil, err
	}
	if err := p.await("listening", func() bool { return bytes.Contains(p.text(), []byte("waiting for agents")) }); err != nil {
		return nil, err
	}
	a, stop, err := b.startAgent(s)
	if err != nil {
		return nil, err
	}
	defer func() { err = stop(err) }()
	if err := a.await("capturing", func() bool { return bytes.Contains(a.text(), []byte("capture started")) }); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	warm, err := b.generate(spec{profile: s.profile, length: warmUp}, 0)
	if err != nil {
		return nil, err
	}
	before, err := p.calm()
	if err != nil {
		return nil, err
	}
	sent, err := b.generate(s, warm.Frames)
	if err != nil {
		return nil, err
	}
	all := sent.plus(warm)
	after, err := p.calm()
	if err != nil {
		return nil, err
	}
	if err := p.stop(); err != nil {
		return nil, err
	}
	n, err := readBooks(p.text())
	if err != nil {
		return nil, err
	}
	to.Pcapng = ratio(float64(after-before), share(n.Received, sent.Frames, all.Frames))
	to.RingDropped, to.PcapngMissing, to.SinkDropped = n.RingDropped, n.Missing, n.SinkDropped
	wrong = n.check()
	if all.Frames != n.RingDropped+n.Forwarded {
		wrong = append(wrong, fmt.Sprintf("%d frames were sent, the agent told rpcap-sensor of %d dropped + %d forwarded", all.Frames, n.RingDropped, n.Forwarded))
	}
	return wrong, os.RemoveAll(dir)
}

// share is that part of n frames that belongs to a part of those sent.
func share(n, part, whole uint64) float64 { return ratio(float64(n)*float64(part), float64(whole)) }

// calm waits until the process has done its work and returns its CPU time.
func (p *process) calm() (time.Duration, error) {
	const between, idle = 100 * time.Millisecond, 2 * time.Millisecond
	last, err := p.cpuTime()
	for limit := time.Now().Add(patience); err == nil; {
		time.Sleep(between)
		var now time.Duration
		if now, err = p.cpuTime(); now-last < idle {
			return now, err
		}
		if last = now; time.Now().After(limit) {
			return 0, fmt.Errorf("%s goes on working", p.name)
		}
	}
	return 0, err
}
