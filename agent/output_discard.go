package agent

import "rpcapd/udpstr"

// discard is the output of a dry run (-y): everything is counted, nothing leaves.
type discard struct{}

func newDiscard() output { return discard{} }

func (discard) forward([]udpstr.Frame) error { return nil }
func (discard) flush() error                 { return nil }
func (discard) hurry()                       {}
func (discard) count(*Counters)              {}
func (discard) describe(*CaptureStatus)      {}
func (discard) format() string               { return "none (dry run)" }
func (discard) near() near                   { return near{} }
func (discard) close()                       {}
