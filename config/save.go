package config

import (
	"fmt"
	"strings"
)

// Append appends the settings in the form of the ini (-s). What ParseAgent makes of
// it equals a, but for the options that only the command line has. Other agents read
// the file as well if it holds targets without options and NullAuthPermit only.
func (a Agent) Append(dst []byte) []byte {
	var b strings.Builder
	b.WriteString("# Configuration of rpcapd. One ActiveClient line for each sensor; without one nothing is forwarded:\n")
	b.WriteString("#   ActiveClient = HOST, PORT[, ifname=NAME][, ifaddr=ADDRESS/LENGTH]\n")
	b.WriteString("\n")
	for _, t := range a.Targets {
		fmt.Fprintf(&b, "ActiveClient = %s\n", t)
	}
	if len(a.Targets) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "NullAuthPermit = %s\n", yesNo(a.NullAuth))
	for _, account := range a.Accounts {
		b.WriteString(account.Setting() + "\n")
	}
	a.writePolicy(&b)
	return append(dst, b.String()...)
}

// writePolicy leaves out what has its default.
func (a Agent) writePolicy(b *strings.Builder) {
	if len(a.Ignore) > 0 {
		fmt.Fprintf(b, "IgnoreInterfaces = %s\n", quoteWords(a.Ignore))
	}
	if a.MaxSessions > 0 {
		fmt.Fprintf(b, "MaxSessions = %d\n", a.MaxSessions)
	}
	if a.Name != "" {
		fmt.Fprintf(b, "Name = \"%s\"\n", a.Name)
	}
	if a.OnClose != CloseReconnect {
		fmt.Fprintf(b, "OnClose = %s\n", a.OnClose)
	}
	if a.IgnoreSampling {
		b.WriteString("Sampling = ignore\n")
	}
	if a.NoPromiscuous {
		b.WriteString("Promiscuous = never\n")
	}
	if a.MaxSnaplen > 0 {
		fmt.Fprintf(b, "MaxSnaplen = %d\n", a.MaxSnaplen)
	}
	if a.MaxRate > 0 {
		fmt.Fprintf(b, "MaxRate = %d\n", a.MaxRate)
	}
	if a.MaxCPU > 0 {
		fmt.Fprintf(b, "MaxCPU = %d\n", a.MaxCPU)
	}
	if a.DataPorts != (PortRange{}) {
		fmt.Fprintf(b, "DataPorts = %s\n", a.DataPorts)
	}
	if a.RawDriver {
		b.WriteString("Driver = raw\n")
	}
	if a.Lenient {
		b.WriteString("Lenient = YES\n")
	}
	if a.User != "" {
		fmt.Fprintf(b, "User = %s\n", a.User)
	}
}

func yesNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}
