package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"rpcapd/cmd/internal/examine"
	"rpcapd/config"
	"rpcapd/doctor"
	"rpcapd/doctor/host"
	"rpcapd/sensor"
	"rpcapd/sensor/health"
)

// checkConfig reports what check does.
func (d *diagnosis) checkConfig(ctx context.Context) (list []doctor.Result) {
	switch {
	case d.path == "":
		return []doctor.Result{doctor.NotChecked("no file: there is neither %s here nor %s", defaultFile, serviceFile)}
	case errors.Is(d.loadErr, fs.ErrPermission):
		return []doctor.Result{doctor.NotChecked("this user may not read %s: run it as root", d.path)}
	case d.loadErr != nil:
		return []doctor.Result{doctor.Failed(d.loadErr.Error(), "the sensor does not start", "rpcap-sensor check "+d.path)}
	}
	found := slices.Clone(d.problems)
	if found.Err() == nil {
		_, refused := sensor.New(sensor.FromConfig(d.config))
		rules, rest := filterProblems(d.config.Places, refused)
		if rest != nil {
			list = append(list, doctor.Failed(rest.Error(), "the sensor does not start", "rpcap-sensor check "+d.path))
		}
		found = append(append(found, rules...), checkOutputs(ctx, d.config)...)
	}
	for _, p := range found {
		list = append(list, examine.Problem(p, "rpcap-sensor check "+d.path))
	}
	if list == nil {
		list = append(list, doctor.OK("%s: good", d.path))
	}
	return list
}

// checkFiles looks at who may read and change the file and the keys.
func (d *diagnosis) checkFiles(context.Context) (list []doctor.Result) {
	if d.path == "" || d.loadErr != nil {
		return []doctor.Result{doctor.NotChecked("no file could be read")}
	}
	secret := len(d.config.HTTP.Accounts) > 0 || slices.ContainsFunc(d.config.Rules, func(r config.Rule) bool { return r.Password != "" })
	list = append(list, host.Secret(d.path, secret))
	keys := []string{d.config.HTTP.Key}
	for _, o := range d.config.PcapOverIP {
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if key != "" {
			list = append(list, host.Secret(key, true))
		}
	}
	return list
}

// checkPorts tries the ports of rules, data and outputs.
func (d *diagnosis) checkPorts(context.Context) (list []doctor.Result) {
	c := &d.config
	if d.loadErr != nil || d.problems.Err() != nil {
		return []doctor.Result{doctor.NotChecked("the file has errors")}
	}
	var control, data []uint16
	for _, r := range c.Rules {
		control = append(control, r.Port)
	}
	slices.Sort(control)
	for i := range c.Data.Count {
		data = append(data, c.Data.First+uint16(i))
	}
	const mine = "rpcap-sensor"
	list = append(list, host.Ports("rules", true, c.Listen, slices.Compact(control), mine), host.Ports("data ports", false, c.Listen, data, mine))
	if c.HTTP.Enabled {
		list = append(list, host.Ports("[http]", true, c.HTTP.Listen.Addr(), []uint16{c.HTTP.Listen.Port()}, mine))
	}
	for _, o := range c.PcapOverIP {
		if o.Connect == "" {
			list = append(list, host.Ports("["+o.Title()+"]", true, o.Listen.Addr(), []uint16{o.Listen.Port()}, mine))
		}
	}
	return list
}

// checkRunning asks the running sensor for its problems, if its page is open to everybody.
func (d *diagnosis) checkRunning(ctx context.Context) (list []doctor.Result) {
	switch {
	case d.path == "" || !d.config.HTTP.Enabled:
		return []doctor.Result{doctor.NotChecked("there is no [http] to ask")}
	case len(d.config.HTTP.Accounts) > 0:
		return []doctor.Result{doctor.NotChecked("the page needs a password; rpcap-sensor top -f %s --user NAME shows the problems", d.path)}
	}
	c, err := (&topSettings{file: d.path}).client()
	if err != nil {
		return []doctor.Result{doctor.NotChecked("%v", err)}
	}
	var answer health.ProblemsAnswer
	if err := c.get(ctx, "problems", &answer); err != nil {
		return []doctor.Result{doctor.NotChecked("%v", err)}
	}
	for _, p := range answer.Problems {
		list = append(list, doctor.Warning(p.Text, "the running sensor counts it as "+string(p.Severity), p.Cure).About(p.Peer))
	}
	if list == nil {
		list = append(list, doctor.OK("it runs, and shows no problem"))
	}
	return list
}

// files are what the archive has besides the report. The configuration is the file without the values that may be secrets.
func (d *diagnosis) files(ctx context.Context) []doctor.File {
	files := host.Facts(ctx, "rpcap-sensor")
	if d.path == "" {
		return files
	}
	b, err := os.ReadFile(d.path)
	if err != nil {
		b = []byte(err.Error())
	}
	return append(files, doctor.File{Name: "configuration.txt", Data: withoutSecrets(b)})
}

// open are the keys whose values are shown. All others are left out: what is not known could be a secret.
var open = []string{
	"listen", "port", "address", "addresses", "interface", "interfaces", "filter", "snaplen", "promiscuous", "sampling", "tcp", "allowagents",
	"first", "count", "gro", "window", "hold", "dedup", "sessions", "sessionsperaddress", "file", "path", "format", "peragent",
	"rotatesize", "rotatetime", "rotateframes", "keep", "keepbytes", "compress", "syncatclose", "syncevery", "mtu", "guard", "persist",
	"linktype", "clients", "allowclients", "buffer", "stalled", "tls", "agents", "rules", "maxframe", "names", "alias", "ports",
}

// withoutSecrets keeps sections and the values of keys that cannot be secrets; no comment is kept.
func withoutSecrets(text []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, _, isKey := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		switch {
		case line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			fmt.Fprintln(&b, line)
		case isKey && slices.Contains(open, strings.ToLower(key)):
			line, _, _ = strings.Cut(line, " #") // a comment can hold anything
			fmt.Fprintln(&b, line)
		case isKey && len(key) < 40 && !strings.ContainsAny(key, " \t"):
			fmt.Fprintln(&b, key, "= (left out)")
		default:
			fmt.Fprintln(&b, "(a line that is not understood)")
		}
	}
	return []byte(b.String())
}
