package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// agentGrammar is what the agent's file may hold.
var agentGrammar = grammar{
	top: []string{
		"ActiveClient", "IgnoreInterfaces", "MaxSessions", "Name", "NullAuthPermit", "Account", "OnClose", "Sampling", "Promiscuous",
		"MaxSnaplen", "MaxRate", "MaxCPU", "DataPorts", "User", "Driver", "Lenient",
	},
	inert: map[string]string{
		"PassiveClient": "has no effect: this agent never listens, it only connects to sensors",
	},
	flat: true,
}

// repeated are the keys of which a file may have any number.
var repeated = []string{"ActiveClient", "IgnoreInterfaces", "Account", "Alias"}

// ParseAgent reads the agent's file. The result is of use only if the problems hold
// no error; file is for the messages.
func ParseAgent(file string, data []byte) (Agent, Problems) {
	return ParseAgentWith(file, data, nil)
}

func parseAgent(file string, data []byte, variables []Variable) (Agent, Problems) {
	r := &report{file: file}
	text, err := decode(data)
	if err != nil {
		r.errorf(0, "%v", err)
		return Agent{}, r.result()
	}
	p := agentParser{report: r, lines: make(map[string]int)}
	settings, _ := readSettings(text, &agentGrammar, r)
	once := make(map[place]int)
	for _, s := range settings {
		r.again(once, s)
		p.apply(s)
	}
	found := p.variables(variables)
	if found.Err() == nil {
		p.whole()
	}
	p.agent.Places = placesOf(file, settings, nil)
	return p.agent, append(r.result(), found...)
}

// again warns of a second line of a key of which there is one.
func (r *report) again(seen map[place]int, s setting) {
	if canonical(s.key, repeated) != "" {
		return
	}
	if line, ok := seen[s.place]; ok {
		r.warnf(s.line, "%s is already on line %d; this one counts", s.key, line)
	}
	seen[s.place] = s.line
}

type agentParser struct {
	*report
	agent   Agent
	ignored []ignored
	lines   map[string]int // of the keys that there is one of
}

func (p *agentParser) apply(s setting) {
	a := &p.agent
	p.lines[s.key] = s.line
	value := unquote(s.value)
	var err error
	var n int
	switch s.key {
	case "ActiveClient":
		p.activeClient(s)
	case "Account":
		p.account(s)
	case "IgnoreInterfaces":
		err = p.ignore(s)
	case "MaxSessions":
		a.MaxSessions, err = parseCount(value, mostSessions)
	case "Name":
		a.Name, err = value, checkName(value)
	case "NullAuthPermit":
		a.nullAuthSet = true
		a.NullAuth, err = parseSwitch(value)
	case "OnClose":
		n, err = choose(value, "reconnect", "stop")
		a.OnClose = OnClose(n)
	case "Sampling":
		n, err = choose(value, "obey", "ignore")
		a.IgnoreSampling = n == 1
	case "Promiscuous":
		n, err = choose(value, "allow", "never")
		a.NoPromiscuous = n == 1
	case "MaxSnaplen":
		a.MaxSnaplen, err = parseSnaplen(value)
	case "MaxRate":
		a.MaxRate, err = parseRate(value)
	case "MaxCPU":
		a.MaxCPU, err = parsePercent(value)
	case "DataPorts":
		a.DataPorts, err = parsePortRange(value)
	case "User":
		a.User, err = parseUser(value)
	case "Driver":
		n, err = choose(value, "pcap", "raw")
		a.RawDriver = n == 1
	case "Lenient":
		a.Lenient, err = parseSwitch(value)
		p.lenient = a.Lenient
	}
	if err != nil {
		p.errorf(s.line, "%s %v", s.key, err)
	}
}

func (p *agentParser) activeClient(s setting) {
	t, warnings, errs := parseTarget(s.value)
	t.Line = s.line
	for _, w := range warnings {
		p.warnf(s.line, "%s", w)
	}
	usable := true
	for _, err := range errs {
		if errors.Is(err, errUnknownOption) {
			p.doubtf(s.line, "%v", err)
			t.Disabled = err.Error()
			continue
		}
		p.errorf(s.line, "%v", err)
		usable = false
	}
	if usable {
		p.agent.Targets = append(p.agent.Targets, t)
	}
}

func (p *agentParser) account(s setting) {
	account, err := parseAccount(s.value, "rpcapd passwd")
	if err != nil {
		p.errorf(s.line, "%v", err)
		return
	}
	for _, other := range p.agent.Accounts {
		if other.Name == account.Name {
			p.errorf(s.line, "Account %q: the name is on an earlier line; a user has one password", account.Name)
			return
		}
	}
	p.agent.Accounts = append(p.agent.Accounts, account)
}

// whole looks at what the lines make together, once each of them is good.
func (p *agentParser) whole() {
	if !p.usable() {
		return
	}
	a := &p.agent
	first := make(map[string]int)
	for _, t := range a.Targets {
		if line, ok := first[t.Key()]; ok {
			p.warnf(t.Line, "ActiveClient: the same as line %d; the sensor will get this traffic twice", line)
			continue
		}
		first[t.Key()] = t.Line
	}
	p.checkIgnored()
	p.checkSessions()
	if len(a.Targets) == 0 {
		p.warnf(0, "no ActiveClient line: nothing is forwarded; write ActiveClient = HOST, PORT")
		return
	}
	switch {
	case a.NullAuth && len(a.Accounts) > 0:
		p.warnf(0, "NullAuthPermit = YES: sensors need none of the accounts; set it to NO to demand a password")
	case !a.NullAuth && len(a.Accounts) == 0:
		p.warnf(0, "no sensor can authenticate: set NullAuthPermit = YES, or start the agent with -n, or add an Account line (rpcapd passwd creates it)")
	}
}

func parseUser(value string) (string, error) {
	if len(value) > 255 || strings.ContainsAny(value, " \t,;:/#\"`") {
		return "", fmt.Errorf("%s: write the name of one user", excerpt(value))
	}
	return value, nil
}

// AgentKeys are the keys that the agent's file may have, in the order of the
// documentation. Those without effect are not among them.
func AgentKeys() []string { return slices.Clone(agentGrammar.top) }
