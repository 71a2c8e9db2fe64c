package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

const (
	patience = 10 * time.Second // for anything that should come soon
	poll     = 10 * time.Millisecond
)

// process is a program under measurement, bound to a CPU.
type process struct {
	*netlab.Cmd
	name string
	log  string // its standard error
	done chan struct{}
}

// start runs a program of the folder bin in a namespace until the end of the lab; its
// log and what else it writes are below dir.
func start(on *netlab.Namespace, cpu int, bin, dir, name string, args ...string) (*process, error) {
	cmd := on.Command("/proc/self/exe", append([]string{strconv.Itoa(cpu), filepath.Join(bin, name)}, args...)...)
	cmd.Env = append(os.Environ(), helperVariable+"="+helperPin)
	return startCommand(cmd, dir, name)
}

// startCommand starts a command with a log below dir.
func startCommand(cmd *netlab.Cmd, dir, name string) (*process, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	p := &process{Cmd: cmd, name: name, log: log.Name(), done: make(chan struct{})}
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.Wait() // the exit code is read where it matters
		close(p.done)
	}()
	return p, nil
}

// await polls until ok; it fails when the time is over or the program ends before.
func (p *process) await(what string, ok func() bool) error {
	for limit := time.Now().Add(patience); !ok(); time.Sleep(poll) {
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended: %s", p.name, p.tail())
		default:
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%s: %s: not within %v: %s", p.name, what, patience, p.tail())
		}
	}
	return nil
}

// stop ends the program in order.
func (p *process) stop() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.Process.Kill() // fails if it has just ended
		return fmt.Errorf("stop %s: still running after %v: %s", p.name, patience, p.tail())
	}
	if code := p.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s: exit code %d: %s", p.name, code, p.tail())
	}
	return nil
}

func (p *process) text() []byte {
	b, _ := os.ReadFile(p.log) // not there is the same as empty
	return b
}

// tail returns the end of the program's log.
func (p *process) tail() []byte {
	const most = 2048 // bytes
	b := p.text()
	return bytes.TrimSpace(b[max(0, len(b)-most):])
}

// cpuTime is the CPU time of the whole process, threads that have ended too.
func (p *process) cpuTime() (time.Duration, error) { return processClock(p.Process.Pid) }

// processClock reads the CPU clock of a process, 0 for this one. The clock's number is
// the one of clock_getcpuclockid(3): the pid, inverted, and 2 for nanoseconds of
// running time.
func processClock(pid int) (time.Duration, error) {
	clock := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if pid != 0 {
		clock = int32(^pid<<3 | 2)
	}
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("read CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// waited is how long the threads of the process were ready to run and did not, because
// something else had their CPU. What ended threads waited is not in it.
func (p *process) waited() (sum time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil { // the thread has ended
			continue
		}
		// Nanoseconds of running, nanoseconds of waiting, number of turns: sched-stats.rst.
		var running, waiting, turns int64
		if _, err := fmt.Sscan(string(b), &running, &waiting, &turns); err != nil {
			return 0, fmt.Errorf("read %s: %w", f, err)
		}
		sum += time.Duration(waiting)
	}
	return sum, nil
}

// peakMemory is the largest resident set that the process has had, in bytes.
func (p *process) peakMemory() (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, err := strconv.ParseUint(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no VmHWM of process %d", p.Process.Pid)
}

// agent is a running rpcapd.
type agent struct {
	*process
	runDir string
}

const agentINI = "ActiveClient = %s, %d, ifname=cap0\nNullAuthPermit = YES\n"

// startAgent runs rpcapd with files of its own below dir.
func startAgent(l *lab, cpu int, bin, dir string, args ...string) (*agent, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	a := &agent{runDir: filepath.Join(dir, "run")}
	ini := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(ini, fmt.Appendf(nil, agentINI, sensorAddr, controlPort), 0o644); err != nil {
		return nil, err
	}
	var err error
	a.process, err = start(l.agent, cpu, bin, dir, "rpcapd", append([]string{"-f", ini, "--run-dir", a.runDir}, args...)...)
	return a, err
}

// captureStatus is the part of the agent's status file that is used here.
type captureStatus struct {
	Running        bool   `json:"running"`
	GSO            string `json:"gso"`
	DatagramLimit  int    `json:"datagram_limit"`
	Received       uint64 `json:"received"`
	RingDrops      uint64 `json:"ring_drops"`
	InterfaceDrops uint64 `json:"interface_drops"`
	Captured       uint64 `json:"captured"`
	CapturedBytes  uint64 `json:"captured_bytes"`
	Packed         uint64 `json:"packed"`
	Sampled        uint64 `json:"sampled_out"`
	RateDropped    uint64 `json:"rate_dropped"`
	Datagrams      uint64 `json:"datagrams"`
	SentBytes      uint64 `json:"sent_bytes"`
	Sends          uint64 `json:"sends"`
	SendDropped    uint64 `json:"send_dropped"`
}

// final waits for the numbers of the capture that has ended. The status file is a second
// old at most, and after a reload, which changes nothing here, as good as new.
func (a *agent) final() (c captureStatus, err error) {
	if err := a.Process.Signal(syscall.SIGHUP); err != nil {
		return c, fmt.Errorf("reload rpcapd: %w", err)
	}
	err = a.await("final numbers in the status file", func() bool {
		var status struct {
			Sessions []struct{ Capture *captureStatus }
		}
		b, err := os.ReadFile(filepath.Join(a.runDir, "status.json"))
		if err != nil || json.Unmarshal(b, &status) != nil || len(status.Sessions) != 1 || status.Sessions[0].Capture == nil {
			return false
		}
		c = *status.Sessions[0].Capture
		return !c.Running
	})
	return c, err
}
