package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"rpcapd/agent"
	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
	"rpcapd/iface"
)

// probeTimeout bounds the test call of all sensors together, if the command line does not say otherwise.
const probeTimeout = 20 * time.Second

// unusedError says that all was written but a sensor could not be used: exit code 4.
type unusedError struct{ error }

// finish joins what a call of the sensors and a reload ended with. A failed reload is a failure, whatever the sensor did.
func finish(dial, reload error) error {
	if dial != nil && reload != nil {
		return fmt.Errorf("%v\n%w", dial, reload)
	}
	return errors.Join(dial, reload)
}

// setup is what the command line of the subcommand says.
type setup struct {
	file, runDir       string
	sensors            []string
	interfaces, cidrs  []string
	fanout             int // 0: as the line has it, else 1
	account            string
	replace            bool
	noDial, noReload   bool
	timeout            time.Duration // of the test call; 0: probeTimeout
	migrate            bool
	first              bool   // an installer calls
	root               string // of the file system, for tests of a migration
	out                func(format string, args ...any)
	readPassword       func() (string, error)
	defaultSensor      string // RPCAPD_SENSOR
	defaultSensorsPort string // RPCAPD_PORT
}

// targets are the lines asked for: each sensor with each interface and network.
func (s *setup) targets() ([]config.Target, error) {
	sensors := s.sensors
	if len(sensors) == 0 && s.defaultSensor != "" {
		word := s.defaultSensor
		if s.defaultSensorsPort != "" {
			word += ", " + s.defaultSensorsPort
		}
		sensors = []string{word}
	}
	if len(sensors) == 0 {
		return nil, usageError{errors.New("setup: no sensor; name one with --sensor HOST[:PORT], or take over the C agent's with --migrate")}
	}
	var selections []iface.Selector
	for _, name := range s.interfaces {
		sel, _, err := config.ParseInterface(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("--interface: %w", err)}
		}
		selections = append(selections, sel)
	}
	for _, text := range s.cidrs {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, usageError{err}
		}
		selections = append(selections, iface.Selector{Net: network})
	}
	if len(selections) == 0 {
		selections = []iface.Selector{{}}
	}
	var list []config.Target
	for _, word := range sensors {
		t, err := config.ParseTargets(word)
		if err != nil {
			return nil, usageError{fmt.Errorf("--sensor %q: %w", word, err)}
		}
		for _, t := range t {
			for _, sel := range selections {
				t.Select, t.Fanout = sel, max(1, s.fanout)
				if !slices.ContainsFunc(list, func(u config.Target) bool { return u.Key() == t.Key() }) {
					list = append(list, t) // twice the same would send each frame twice
				}
			}
		}
	}
	return list, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("--cidr %q: write an address or a network, as in 10.1.0.0/16", text)
	}
	return p.Masked(), nil
}

// write changes the file and tells what changed and what its lines mean.
func (s *setup) write(e config.Edit) (config.Agent, error) {
	old, err := readIniOrTemplate(s.file)
	if err != nil {
		return config.Agent{}, fmt.Errorf("read configuration: %w", withCure(err))
	}
	text, done, err := config.EditAgent(s.file, old, e)
	if err != nil {
		return config.Agent{}, err
	}
	if len(done) == 0 {
		s.out("%s: nothing to change", s.file)
	} else if err := inifile.Replace(s.file, text, agentGroup); err != nil {
		return config.Agent{}, fmt.Errorf("write %s: %w", s.file, withCure(err))
	}
	for _, what := range done {
		s.out("%s: %s", s.file, what)
	}
	c, problems := config.ParseAgent(s.file, text)
	for _, p := range problems.Warnings() { // without errors, or EditAgent had failed
		s.out("%s", p)
	}
	if len(e.Accounts) > 0 && c.NullAuth {
		s.out("%s: NullAuthPermit = YES still accepts sensors without a password; to refuse them, set it to NO", s.file)
	}
	list, err := iface.List()
	if err != nil {
		list = nil
	}
	for _, text := range explainTargets(&c, list) {
		s.out("%s", text)
	}
	return c, nil
}

// tryEdit tells why an edit would fail, before anything is changed for it.
func (s *setup) tryEdit(e config.Edit) error {
	old, err := readIniOrTemplate(s.file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", withCure(err))
	}
	if _, _, err = config.EditAgent(s.file, old, e); err != nil {
		return err
	}
	if err := inifile.TryReplace(s.file); err != nil {
		return fmt.Errorf("write %s: %w", s.file, withCure(err))
	}
	return nil
}

// dial calls each sensor once.
func (s *setup) dial(ctx context.Context, c config.Agent, targets []config.Target) error {
	if s.noDial {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.timeout, probeTimeout))
	defer cancel()
	called := make(map[string]bool)
	var failed []string
	for _, t := range targets {
		if called[t.Address()] {
			continue
		}
		called[t.Address()] = true
		p, err := agent.Probe(ctx, t, &c)
		var steps []string
		if p.Address.IsValid() {
			steps = append(steps, "reached")
		}
		if p.Authenticated {
			steps = append(steps, "authenticated")
		}
		switch {
		case err != nil:
			steps = append(steps, err.Error())
			failed = append(failed, t.Address())
		case p.Asked:
			steps = append(steps, "waiting for rules")
		default:
			steps = append(steps, "it has asked for nothing yet")
		}
		s.out("sensor %s: %s", t.Address(), strings.Join(steps, ", "))
	}
	if failed != nil {
		return unusedError{fmt.Errorf("setup: the lines are written, but %s cannot be used now; the agent keeps trying", strings.Join(failed, " and "))}
	}
	return nil
}

// reload makes the running agent take the file, or says how to start one.
func (s *setup) reload() error {
	if s.noReload {
		return nil
	}
	runDir := runDirOf(s.runDir, s.file)
	st, err := agent.Running(runDir)
	if errors.Is(err, agent.ErrNotRunning) {
		s.out("the agent is not running; %s", startHint(s.file))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if st.Config != s.file {
		s.out("the running agent, process %d, uses %q and not this file; %s", st.PID, st.Config, startHint(s.file))
		return nil
	}
	if st, err = askReload(runDir, st); err != nil {
		return err
	}
	if st.Reload.Error != "" {
		return fmt.Errorf("reload refused, process %d keeps its old configuration:\n%s", st.PID, st.Reload.Error)
	}
	s.out("reloaded: the running agent, process %d, uses the new lines", st.PID)
	return nil
}

// startHint tells how an agent is started on this host.
func startHint(file string) string {
	switch {
	case runtime.GOOS == "windows" && file == defaultFile():
		return "start it with: rpcapd service start"
	case exists("/run/systemd/system") && exists("/usr/sbin/rpcapd"):
		return "start it with: systemctl enable --now " + unitOf(file)
	case exists("/etc/init.d/rpcapd"):
		return "start it with: service rpcapd start"
	}
	return "start it with: rpcapd -f " + file
}

// unitOf is the unit that uses an ini.
func unitOf(file string) string {
	name, isIni := strings.CutSuffix(filepath.Base(file), ".ini")
	if isIni && name != "rpcapd" && filepath.Dir(file) == "/etc/rpcapd" {
		return "rpcapd@" + name
	}
	return "rpcapd"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// agentGroup may read a new ini: the account of the packages.
const agentGroup = "rpcapd"
