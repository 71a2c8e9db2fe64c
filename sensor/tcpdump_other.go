//go:build !linux

package sensor

import "os/exec"

// confine leaves a run of tcpdump to its time-out.
func (t *tool) confine(int) {}

func usedUpCPU(*exec.ExitError) bool { return false }
