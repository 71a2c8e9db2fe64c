package main

import "fmt"

// overload is a run in which the agent gets so little of its CPU that the ring overflows.
type overload struct {
	path
	Size string `json:"size"`
}

// overloadBound is the share of the frames, in per cent, that the ring has to drop for the
// run to say anything.
const overloadBound = 30

// adds says that every frame is in one of the counters.
func (o *overload) adds() bool {
	p := &o.path
	return p.Sent == p.LinkLost+p.RingDrops+p.Captured && p.Captured == p.Packed && p.Packed == p.Intact+p.Missing && p.Bad == 0
}

// Lines are the equations of the accounting, with numbers.
func (o *overload) Lines() []string {
	p := &o.path
	received := p.RingDrops + p.Captured
	return []string{
		fmt.Sprintf("sent %d = received %d + lost on the captured link %d", p.Sent, received, p.LinkLost),
		fmt.Sprintf("received %d = ring drops %d + captured %d", received, p.RingDrops, p.Captured),
		fmt.Sprintf("captured %d = packed %d + sampled out 0 + rate dropped 0", p.Captured, p.Packed),
		fmt.Sprintf("packed %d = delivered %d + missing %d", p.Packed, p.Intact, p.Missing),
		fmt.Sprintf("datagrams sent %d = used %d + lost %d; dropped when sending: %d", p.Datagrams, p.Datagrams-p.Lost, p.Lost, p.SendDropped),
	}
}

// Title is for people.
func (o *overload) Title() string {
	return fmt.Sprintf("%s bytes, %.0f frames/s, the ring drops %s %%", o.Size, o.rate(), percent(o.ringLoss()))
}
