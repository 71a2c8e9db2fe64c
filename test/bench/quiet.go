package main

import "fmt"

// quietRun is an agent at a rate that most hosts have most of the day.
type quietRun struct {
	Size string  `json:"size"`
	Rate float64 `json:"rate"` // frames per second that were asked for
	Free bool    `json:"free"` // the agent is not bound to a CPU
	cost
}

// Where is for people.
func (q *quietRun) Where() string { return whereText(q.Free) }

func whereText(free bool) string {
	if free {
		return "any"
	}
	return "one"
}

// Cost is the CPU time of a frame, and Share that of the agent of one core, in per cent.
func (q *quietRun) Cost() string  { return fmt.Sprintf("%.0f", q.perFrame()) }
func (q *quietRun) Share() string { return fmt.Sprintf("%.3f", q.cpu()) }

const quietHead = "bytes asked/s  CPU  ns/frame  % of a core"

func quietRow(q *quietRun) string {
	return fmt.Sprintf("%5s %7s %4s %9s %12s", q.Size, rateText(q.Rate), q.Where(), q.Cost(), q.Share())
}
