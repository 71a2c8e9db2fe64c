package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// TestRootOverload gives the agent so little CPU time that its ring drops a third of the
// frames at least, and has the books of both sides add up to the last frame. Run with -v
// it prints them.
func TestRootOverload(t *testing.T) {
	largeBuffers(t)
	for _, x := range []struct {
		name  string
		size  int
		limit func(t *testing.T, p *harness.Running, came func() uint64) (lift func())
		args  []string
	}{
		{name: "quota, 64 bytes", size: 64, limit: quota},
		{name: "quota, 300 bytes, without GSO", size: 300, limit: quota, args: []string{"--gso", "off"}},
		{name: "quota, 1514 bytes", size: 1514, limit: quota},
		{name: "stopped nine tenths of the time", size: 300, limit: dutyCycle},
	} {
		t.Run(x.name, func(t *testing.T) {
			acc := newAccounting(t, "", append([]string{"-z", "1M"}, x.args...))
			lift := x.limit(t, acc.agent.Running, func() uint64 { return acc.host.Link("eth0").Attrs().Statistics.RxPackets })
			const frames = 150_000
			acc.send(t, x.size, 150_000, frames)
			lift()
			n := settle(t, acc.agent, acc.sensor)
			n.check(t)
			n.numbered(t, x.size)
			t.Log(n.books())
			if n.agent.Received < frames {
				t.Errorf("%d frames of %d were seen", n.agent.Received, frames)
			}
			if share := float64(n.agent.RingDrops) / float64(n.agent.Received); share < 0.3 {
				t.Errorf("the ring dropped %.1f %%: this is no overload", 100*share)
			}
			if n.agent.Packed == 0 || n.sensor.frames == 0 {
				t.Error("nothing was forwarded")
			}
		})
	}
}

// books are the equations of docs/ARCHITECTURE.md with their numbers.
func (x *accounts) books() string {
	c, p := &x.agent, &x.sensor
	var b strings.Builder
	fmt.Fprintf(&b, "the books (ring drops %.1f %%, %.1f datagrams a send):\n",
		100*float64(c.RingDrops)/float64(max(c.Received, 1)), float64(c.Datagrams)/float64(max(c.Sends, 1)))
	line := func(what string, sum uint64, parts ...uint64) {
		var total uint64
		text := make([]string, len(parts))
		for i, n := range parts {
			total += n
			text[i] = strconv.FormatUint(n, 10)
		}
		sign := "="
		if total != sum {
			sign = "≠"
		}
		fmt.Fprintf(&b, "  %-78s %d %s %s\n", what, sum, sign, strings.Join(text, " + "))
	}
	line("received = ring drops + captured", c.Received, c.RingDrops, c.Captured)
	line("captured = packed + sampled out + rate dropped", c.Captured, c.Packed, c.Sampled, c.RateDropped)
	line("packed = delivered + missing", c.Packed, p.frames, p.missing)
	inTime := p.datagrams - p.late - p.duplicate - p.malformed
	line("datagrams sent + dropped when sending = in order or reordered + lost", c.Datagrams+c.SendDropped, inTime, p.lost)
	line("arrivals = in order or reordered + late + duplicate + malformed", p.datagrams, inTime, p.late, p.duplicate, p.malformed)
	line("delivered = written + dropped by the output", p.frames, p.written, p.dropped)
	line("frames in the file = written", uint64(len(x.file)), p.written)
	return strings.TrimRight(b.String(), "\n")
}

// quota bounds the CPU time of a program to a quarter of a percent of a core, by a control group
// where this system lets us make one, else by stopping it most of the time.
func quota(t *testing.T, p *harness.Running, came func() uint64) (lift func()) {
	t.Helper()
	group, err := newGroup(p.Process.Pid)
	if err != nil {
		t.Logf("no control group for CPU time (%v): the agent is stopped and continued instead", err)
		return dutyCycle(t, p, came)
	}
	lift = sync.OnceFunc(func() {
		if err := group.leave(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(lift) // before the program is killed: a group with a process cannot be removed
	return lift
}

// group is a control group with a limit of CPU time.
type group struct {
	root, dir string
	pid       []byte
}

// newGroup makes a group of version 1 or 2 whose processes have 1 ms of CPU time in each
// 400 ms, and moves a process there.
func newGroup(pid int) (*group, error) {
	var errs []error
	v1, v2 := []string{"cpu.cfs_period_us", "400000", "cpu.cfs_quota_us", "1000"}, []string{"cpu.max", "1000 400000"}
	for _, x := range []struct {
		root     string
		settings []string // files and what is written to them
	}{{"/sys/fs/cgroup/cpu", v1}, {"/sys/fs/cgroup", v2}, {"/sys/fs/cgroup/unified", v2}} {
		dir, err := os.MkdirTemp(x.root, "rpcapd-test-")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		g := &group{root: x.root, dir: dir, pid: []byte(strconv.Itoa(pid))}
		for i := 0; i < len(x.settings) && err == nil; i += 2 {
			err = os.WriteFile(filepath.Join(dir, x.settings[i]), []byte(x.settings[i+1]), 0)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "cgroup.procs"), g.pid, 0)
		}
		if err == nil {
			return g, nil
		}
		errs = append(errs, err, os.Remove(dir))
	}
	return nil, errors.Join(errs...)
}

// leave moves the process back to where there is no limit, and removes the group. The
// kernel takes a moment to see that nobody is in it.
func (g *group) leave() error {
	err := os.WriteFile(filepath.Join(g.root, "cgroup.procs"), g.pid, 0)
	for limit := time.Now().Add(patience); ; time.Sleep(poll) {
		removed := os.Remove(g.dir)
		if removed == nil || time.Now().After(limit) {
			return errors.Join(err, removed)
		}
	}
}

// tooMany frames have no room in a ring of 1 MiB: they take 1.5 MiB at least.
const tooMany = 10_000

// dutyCycle lets a program run for 10 ms of each 100 ms, and not before so many frames have come that some were dropped.
func dutyCycle(t *testing.T, p *harness.Running, came func() uint64) (lift func()) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	over := func(d time.Duration) bool {
		select {
		case <-stop:
			return true
		case <-time.After(d):
			return false
		}
	}
	go func() {
		defer close(ended)
		for {
			before := came()
			p.Process.Signal(syscall.SIGSTOP)
			end := over(90 * time.Millisecond)
			for !end && came()-before < tooMany { // the sender is slow
				end = over(time.Millisecond)
			}
			p.Process.Signal(syscall.SIGCONT)
			if end || over(10*time.Millisecond) {
				return
			}
		}
	}()
	lift = sync.OnceFunc(func() {
		close(stop)
		<-ended
	})
	t.Cleanup(lift)
	return lift
}
