package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// report is everything that was measured, the content of the JSON file.
type report struct {
	Version string    `json:"version"` // of the programs
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Quick   bool      `json:"quick"`
	Machine machine   `json:"machine"`
	Idle    *idle     `json:"idle,omitempty"`
	Points  []point   `json:"points"`
	// Quiet is the cost at low rates, FreeIdle that of an idle agent that is not bound to a CPU.
	Quiet    []quietRun `json:"quiet,omitempty"`
	FreeIdle *idle      `json:"free_idle,omitempty"`
	Sensor   []sensing  `json:"sensor"`
	Scale    *scale     `json:"scale,omitempty"`
	// Overload and Profiles are not in every report: profiles need perf(1).
	Overload []overload   `json:"overload,omitempty"`
	Profiles []cpuProfile `json:"profiles,omitempty"`
	// Problems are numbers that do not add up and frames that were damaged.
	Problems []string `json:"problems,omitempty"`
}

// machine is what it was measured on.
type machine struct {
	CPU          string `json:"cpu"`
	CPUs         int    `json:"cpus"`
	Kernel       string `json:"kernel"`
	Go           string `json:"go"`
	AgentCPU     int    `json:"agent_cpu"`
	GeneratorCPU int    `json:"generator_cpu"`
	SensorCPU    int    `json:"sensor_cpu"`
	// Steered: what arrives at the sensor's host is worked on by the sensor's CPU, not by the agent's.
	Steered bool `json:"steered"`
}

// idle is an agent that captures an interface on which nothing happens.
type idle struct {
	Seconds    float64 `json:"seconds"`
	CPUPercent float64 `json:"cpu_percent"` // of one core
	PeakMemory uint64  `json:"peak_memory"` // bytes
}

// ratio is 0 where there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (r *report) save(path string) error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func loadReport(path string) (*report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w: `make bench` measures", err)
	}
	r := &report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read results %s: %w", path, err)
	}
	return r, nil
}
