package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// cpusVariable carries what was found out before this program bound itself to a CPU:
// how many there are, and which agent, generator and sensor get.
const cpusVariable = "BENCH_CPUS"

// chooseCPUs gives the agent a CPU for itself if there is one.
func chooseCPUs() (c cpus, count int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return c, 0, os.NewSyscallError("sched_getaffinity", err)
	}
	var list []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	switch len(list) {
	case 0:
		return c, 0, fmt.Errorf("there is no CPU to run on")
	case 1:
		c = cpus{list[0], list[0], list[0]}
	case 2:
		c = cpus{agent: list[1], generator: list[0], sensor: list[0]}
	default:
		c = cpus{agent: list[1], generator: list[0], sensor: list[2]}
	}
	return c, len(list), nil
}

func (c cpus) encode(count int) string {
	return fmt.Sprintf("%d %d %d %d", count, c.agent, c.generator, c.sensor)
}

func decodeCPUs(s string) (c cpus, count int, err error) {
	_, err = fmt.Sscanf(s, "%d %d %d %d", &count, &c.agent, &c.generator, &c.sensor)
	return c, count, err
}

// describe names the machine and the programs under measurement.
func describe(bin string, c cpus, count int) (m machine, version string, err error) {
	m = machine{CPU: cpuModel(), CPUs: count, AgentCPU: c.agent, GeneratorCPU: c.generator, SensorCPU: c.sensor}
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	agent := filepath.Join(bin, "rpcapd")
	info, err := buildinfo.ReadFile(agent)
	if err != nil {
		return m, "", fmt.Errorf("%w: `make build` makes it", err)
	}
	m.Go = info.GoVersion
	out, err := exec.Command(agent, "version").Output()
	if err != nil {
		return m, "", fmt.Errorf("%s version: %w", agent, err)
	}
	version, _, _ = strings.Cut(string(out), "\n")
	return m, version, nil
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // unreadable: not known
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			switch strings.TrimSpace(name) {
			case "model name", "Hardware", "cpu model":
				return strings.TrimSpace(value)
			}
		}
	}
	return "unknown CPU"
}
