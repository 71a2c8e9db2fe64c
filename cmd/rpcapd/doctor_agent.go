package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rpcapd/agent"
	"rpcapd/config"
	"rpcapd/doctor"
	"rpcapd/numbers"
)

// checkAgent reads what the running agent writes about itself.
func (d *diagnosis) checkAgent(context.Context) (list []doctor.Result) {
	st := d.status
	if st == nil {
		return []doctor.Result{doctor.NotChecked("no agent runs with the run directory %s", d.settings.runDir)}
	}
	if age := time.Since(st.Updated); age > staleAfter {
		list = append(list, doctor.Failed(fmt.Sprintf("process %d has not written its status for %s", st.PID, span(age)), "it hangs, or cannot write to its run directory", "rpcapd doctor --check disk; then systemctl restart "+unitOf(d.path)))
	}
	if st.Reload.Error != "" {
		list = append(list, doctor.Warning("the last reload was refused: "+strings.ReplaceAll(st.Reload.Error, "\n", "; "), "the configuration before it is in force", "rpcapd check, then rpcapd reload").Quotes("the last reload was refused; the reason is left out here, because it may quote the ini"))
	}
	for i := range st.Sessions {
		list = append(list, sessionResults(&st.Sessions[i])...)
	}
	if len(list) == 0 {
		list = append(list, doctor.OK("process %d runs for %s, %s", st.PID, span(time.Since(st.Started)), numbers.Things(len(st.Sessions), "session")))
	}
	return list
}

// sessionResults are what is wrong with a session of the running agent.
func sessionResults(x *agent.SessionStatus) (list []doctor.Result) {
	n := &x.Total
	lost := func(count uint64, what, cure string) {
		if count > 0 {
			list = append(list, doctor.Warning(fmt.Sprintf("%d %s", count, what), "these frames have not reached the sensor", cure).About(x.Sensor))
		}
	}
	if x.State != agent.StateCapturing {
		seen := string(x.State)
		if x.Detail != "" {
			seen += ": " + x.Detail
		}
		if x.LastError != "" {
			seen += "; last error: " + x.LastError
		}
		list = append(list, doctor.Warning(seen, "nothing is captured for this sensor now", "see the checks dns, tcp, session and data-ports of this sensor; rpcapd status tells more").About(x.Sensor))
	}
	if c := x.Capture; c != nil && c.Running && c.SendRefused != "" {
		list = append(list, doctor.Failed("nothing is sent: "+c.SendRefused, "the firewall or a policy of this host refuses the datagrams", "allow outgoing UDP to the sensor's data ports: nft list ruleset").About(x.Sensor))
	}
	lost(n.RingDrops, "frames were dropped because the ring was full", "a larger ring: RPCAPD_OPTIONS=\"-z 64M\", a narrower filter, or fanout=2 in the line")
	lost(n.SendDropped, "datagrams were dropped when sending", "rpcapd status names the reasons; if the send buffer stayed full: sysctl -w net.core.wmem_max=8388608")
	return list
}

// redactedAgent is the configuration in force without its secrets, for the archive.
func redactedAgent(path string, c config.Agent) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, without secrets\n", path)
	for _, t := range c.Targets {
		fmt.Fprintf(&b, "ActiveClient = %s\n", t)
		if t.Disabled != "" {
			fmt.Fprintf(&b, "#   not used: %s\n", t.Disabled)
		}
	}
	for range c.Accounts {
		fmt.Fprintln(&b, "Account = (left out)")
	}
	fmt.Fprintf(&b, "NullAuthPermit = %v\nOnClose = %s\n", c.NullAuth, c.OnClose)
	explainPolicy(&b, config.Agent{
		IgnoreSampling: c.IgnoreSampling, NoPromiscuous: c.NoPromiscuous, MaxSnaplen: c.MaxSnaplen, MaxRate: c.MaxRate, MaxCPU: c.MaxCPU,
		DataPorts: c.DataPorts, User: c.User,
	})
	fmt.Fprintf(&b, "datagram %s, ring %d bytes, send buffer %d bytes\n", c.Datagram, c.RingBytes, c.SendBuffer)
	return b.String()
}
