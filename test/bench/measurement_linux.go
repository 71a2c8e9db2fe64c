package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// measurement fills a report.
type measurement struct {
	*bench
	plan     plan
	report   *report
	progress progress
	again    int // runs that were made again so far
}

// show replaces the progress line.
func (m *measurement) show(text string) {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Printf("\r\x1b[K%s", text)
	}
}

func (m *measurement) line(format string, args ...any) {
	m.show("")
	fmt.Printf(format+"\n", args...)
}

func (m *measurement) wrong(s spec, wrong []string) {
	for _, w := range wrong {
		m.report.Problems = append(m.report.Problems, fmt.Sprintf("%v: %s", s, w))
	}
}

func (m *measurement) all() (err error) {
	if m.plan.idle > 0 {
		m.show("idle")
		if m.report.Idle, err = m.idle(m.plan.idle, false); err != nil {
			return fmt.Errorf("idle: %w", err)
		}
		if m.report.FreeIdle, err = m.idle(m.plan.idle, true); err != nil {
			return fmt.Errorf("idle: %w", err)
		}
		m.line("\nidle: %.3f %% of a core, %.3f %% if not bound to one, %s MiB",
			m.report.Idle.CPUPercent, m.report.FreeIdle.CPUPercent, mebibytes(m.report.Idle.PeakMemory))
	}
	if err := m.quiet(); err != nil {
		return err
	}
	for _, s := range m.plan.sweeps() {
		if len(s.profiles) == 0 {
			continue
		}
		m.line("\n%s\n%s", s.Title(), tableHead())
		for _, p := range s.profiles {
			if err := m.size(s, p); err != nil {
				return err
			}
		}
	}
	if len(m.plan.sensorProfiles) > 0 {
		if err := m.sensors(); err != nil {
			return err
		}
	}
	if err := m.overloads(); err != nil {
		return err
	}
	if err := m.profilesOfCPU(); err != nil {
		return err
	}
	if m.plan.fleet.agents > 0 {
		return m.many()
	}
	return nil
}

// quiet measures the cost at low rates.
func (m *measurement) quiet() error {
	if len(m.plan.quietProfiles)+len(m.plan.quietFree) == 0 {
		return nil
	}
	m.line("\nlow rates\n%s", quietHead)
	for _, p := range m.plan.quietProfiles {
		for _, rate := range m.plan.quietRates {
			if err := m.quietRun(quietLoad{p, rate}, false); err != nil {
				return err
			}
		}
	}
	for _, load := range m.plan.quietFree {
		if err := m.quietRun(load, true); err != nil {
			return err
		}
	}
	return nil
}

func (m *measurement) quietRun(load quietLoad, free bool) error {
	s := spec{mode: modeSink, gso: true, profile: load.profile, rate: load.rate, length: m.plan.quietLength, free: free}
	c, err := calmest(m, s, m.cost, func(c *cost) *flow { return &c.flow })
	if err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	q := quietRun{load.profile.name, load.rate, free, *c}
	m.report.Quiet = append(m.report.Quiet, q)
	m.line("%s", quietRow(&q))
	return nil
}

// overloads starves the agent and prints the accounting.
func (m *measurement) overloads() error {
	for _, p := range m.plan.overloadProfiles {
		s := spec{gso: true, profile: p, length: m.plan.length}
		m.progress.step("overload: " + s.String())
		o, wrong, err := m.overload(s)
		if err != nil {
			return fmt.Errorf("overload: %w", err)
		}
		m.wrong(s, wrong)
		m.report.Overload = append(m.report.Overload, *o)
		m.line("\noverload: %s\n  %s", o.Title(), strings.Join(o.Lines(), "\n  "))
	}
	return nil
}

// profilesOfCPU looks at the agent with perf, if it can.
func (m *measurement) profilesOfCPU() error {
	for _, p := range m.plan.profiled {
		for _, on := range m.plan.gso {
			s := spec{gso: on, profile: p, length: profileLength * m.plan.length}
			m.progress.step("profile: " + s.String())
			x, err := m.cpuProfile(s)
			if errors.Is(err, errNoPerf) {
				m.line("\nno profile: %v", err)
				return nil
			}
			if err != nil {
				return fmt.Errorf("profile: %w", err)
			}
			m.report.Profiles = append(m.report.Profiles, *x)
			m.line("\nprofile: %s\n  %s", x.Title(), x.Line())
		}
	}
	return nil
}

// many measures the sensor with a fleet.
func (m *measurement) many() error {
	m.line("\nsensor, many agents")
	s, wrong, err := m.scale(m.plan.fleet, m.progress.step)
	if err != nil {
		return fmt.Errorf("many agents: %w", err)
	}
	m.report.Scale = s
	for _, w := range wrong {
		m.report.Problems = append(m.report.Problems, "many agents: "+w)
	}
	for _, text := range s.Lines() {
		m.line("%s", text)
	}
	return nil
}

// size goes through the rates of one size. Those beyond what the generator can make are
// left out.
func (m *measurement) size(s sweep, p profile) error {
	tooFast := false
	for _, rate := range s.rates {
		if tooFast && rate > 0 {
			continue
		}
		x := point{Size: p.name, Mean: p.mean(), Rate: rate, GSO: s.GSO, Jumbo: s.Jumbo}
		run := spec{gso: s.GSO, jumbo: s.Jumbo, profile: p, rate: rate, length: m.plan.length}
		if err := m.point(run, &x); err != nil {
			return fmt.Errorf("%v: %w", run, err)
		}
		m.report.Points = append(m.report.Points, x)
		m.line("%s", tableRow(&x))
		tooFast = rate > 0 && max(x.Sink.rate(), x.Real.rate()) < .9*rate
	}
	return nil
}

// point measures in both modes.
func (m *measurement) point(s spec, x *point) (err error) {
	var costs []*cost
	for range m.plan.repeat {
		s.mode = modeSink
		c, err := calmest(m, s, m.cost, func(c *cost) *flow { return &c.flow })
		if err != nil {
			return err
		}
		costs = append(costs, c)
		x.Runs = append(x.Runs, c.round())
	}
	slices.SortFunc(costs, func(a, b *cost) int { return cmp.Compare(a.perFrame(), b.perFrame()) })
	x.Sink = costs[(len(costs)-1)/2]
	s.mode = modeReal
	x.Real, err = calmest(m, s, m.path, func(p *path) *flow { return &p.flow })
	return err
}

// calmest makes a run, again if others disturbed it, and returns the one that was
// disturbed least.
func calmest[R any](m *measurement, s spec, run func(spec) (R, []string, error), flowOf func(R) *flow) (best R, err error) {
	m.progress.step(s.String())
	for i := range mostAgain + 1 {
		r, wrong, err := run(s)
		if err != nil {
			return best, err
		}
		m.wrong(s, wrong)
		if i == 0 || flowOf(r).waited() < flowOf(best).waited() {
			best = r
		}
		if !flowOf(best).disturbed() || m.cpus.agent == m.cpus.generator || m.again >= m.plan.again {
			break
		}
		if i < mostAgain {
			m.again++
		}
	}
	return best, nil
}

func (m *measurement) sensors() error {
	m.line("\nsensor, CPU time for each frame\n%s", sensorHead)
	for _, p := range m.plan.sensorProfiles {
		for _, on := range m.plan.gso {
			for _, rate := range m.plan.sensorRates {
				s := spec{gso: on, profile: p, rate: rate, length: m.plan.length}
				x := sensing{Size: p.name, Rate: s.rate, GSO: on}
				if err := m.sensing(s, &x); err != nil {
					return fmt.Errorf("sensor: %v: %w", s, err)
				}
				m.report.Sensor = append(m.report.Sensor, x)
				m.line("%s", sensorRow(&x))
			}
		}
	}
	return nil
}

// sensing compares the agent's cost with that of checking and of writing, in turn.
func (m *measurement) sensing(s spec, x *sensing) error {
	var all []sensing
	for range m.plan.sensorRepeat {
		one := *x
		m.progress.step("sensor: " + s.String())
		s.mode = modeSink
		c, wrong, err := m.cost(s)
		if err != nil {
			return err
		}
		one.Agent = c.perFrame()
		m.wrong(s, wrong)
		s.mode = modeReal
		for _, f := range []func(spec, *sensing) ([]string, error){m.check, m.pcapng} {
			wrong, err := f(s, &one)
			if err != nil {
				return err
			}
			m.wrong(s, wrong)
		}
		all = append(all, one)
	}
	x.take(all)
	return nil
}
