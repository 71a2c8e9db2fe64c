package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"rpcapd/agent"
	"rpcapd/printable"
)

// staleAfter is the age from which a status file is no longer trusted: the agent
// rewrites it at least each 5 s.
const staleAfter = 30 * time.Second

func newStatusCommand() *cobra.Command {
	var runDir, ask string
	var asJSON, onlyPID bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the running agent does: sessions, interfaces, counters, errors",
		Long: `Show each session of the running agent: its state, sensor, interface, counters, and
last error. The command reads the status file in the run directory and does not
contact the agent. The exit status is 3 if no agent runs.

--probe is for supervisors: it prints nothing, or why the answer is no, and the exit status is 1 then. "live" asks whether
the agent works, "ready" also whether each session has its sensor and the last reload was accepted.

Received counts the frames that the filter accepted. They add up as follows:
  received = ring drops + captured (+ still in the ring while a capture runs)
  captured = packed + sampled out + rate dropped
  packed   = delivered + lost on the path + frames of dropped datagrams`,
		Example: "  rpcapd status\n  rpcapd status --json | jq '.sessions[].total'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := agent.Running(runDir)
			if err != nil {
				return withCure(err)
			}
			if ask != "" {
				return probe(ask, st, time.Now())
			}
			if onlyPID {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), st.PID)
				return err
			}
			if asJSON {
				b, err := json.MarshalIndent(st, "", "  ")
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(append(asciiJSON(b), '\n'))
				return err
			}
			printStatus(cmd.OutOrStdout(), st, time.Now())
			return nil
		},
	}
	cmd.Flags().StringVar(&runDir, "run-dir", clientRunDir(), "run directory of the agent")
	cmd.Flags().StringVar(&ask, "probe", "", "answer a supervisor by the exit status: `question` is live or ready")
	cmd.Flags().BoolVar(&onlyPID, "pid", false, "print the number of the process and nothing else, for scripts")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the status file as it is")
	return cmd
}

func printStatus(w io.Writer, st *agent.Status, now time.Time) {
	fmt.Fprintf(w, "rpcapd %s, process %d, running for %s", printable.Text(st.Version), st.PID, span(now.Sub(st.Started)))
	if st.Config != "" {
		fmt.Fprintf(w, ", %s", printable.Text(st.Config))
	}
	fmt.Fprintln(w)
	if age := now.Sub(st.Updated); age > staleAfter {
		fmt.Fprintf(w, "This status is %s old: the agent has ended or no longer writes it.\n", span(age))
	}
	printReload(w, &st.Reload, now)
	if st.Name != "" {
		fmt.Fprintf(w, "Sensors are told to show it as %s.\n", printable.Text(st.Name))
	}
	if len(st.Sessions) == 0 && len(st.Lines) == 0 {
		fmt.Fprintln(w, "No session: no ActiveClient line.")
	}
	for i := range st.Lines {
		printLine(w, &st.Lines[i], st.MaxSessions)
	}
	for i := range st.Sessions {
		printSession(w, &st.Sessions[i], now)
	}
	for i := range st.Ended {
		printEnded(w, &st.Ended[i], now)
	}
}

// printLine tells which interfaces a line with patterns selects.
func printLine(w io.Writer, l *agent.LineStatus, limit int) {
	fmt.Fprintf(w, "Line %d, %s, %s: %s\n", l.Line, printable.Text(l.Sensor), printable.Text(l.Select), someNames(l.Interfaces))
	if l.RefusedCount > 0 {
		fmt.Fprintf(w, "  refused %d, because MaxSessions is %d: %s\n", l.RefusedCount, limit, someNames(l.Refused))
	}
	if len(l.Elsewhere) > 0 {
		fmt.Fprintf(w, "  another line offers this sensor %s\n", someNames(l.Elsewhere))
	}
}

// printEnded sums up the sessions of interfaces that are gone.
func printEnded(w io.Writer, e *agent.EndedStatus, now time.Time) {
	fmt.Fprintf(w, "\n%s  (sessions that have ended)\n", printable.Text(e.Sensor))
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s %s\n", name, printable.Text(fmt.Sprintf(format, args...)))
	}
	row("number", "%d, the last one %s ago: %s", e.Sessions, span(now.Sub(e.At)), e.Reason)
	n := &e.Total
	row("frames", "received %d, ring drops %d, captured %d, packed %d, sampled out %d, rate dropped %d, interface drops %d",
		n.Received, n.RingDrops, n.Captured, n.Packed, n.Sampled, n.RateDropped, n.InterfaceDrops)
	row("datagrams", "sent %d (%d bytes, %d sends), dropped %d, errors %d, refused %d", n.Datagrams, n.SentBytes, n.Sends, n.SendDropped, n.ICMPErrors, n.SendRefusals)
}

// times says how often, in words.
func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// printReload tells of a refused reload: the agent does not do what the ini says.
func printReload(w io.Writer, r *agent.ReloadStatus, now time.Time) {
	if r.Error == "" {
		return
	}
	fmt.Fprintf(w, "The last reload was refused at %s, %s ago, and the configuration before it is in force:\n", r.At.Local().Format(time.DateTime), span(now.Sub(r.At)))
	for line := range strings.Lines(r.Error) {
		fmt.Fprintf(w, "  %s\n", printable.Text(strings.TrimRight(line, "\n")))
	}
}

func printSession(w io.Writer, x *agent.SessionStatus, now time.Time) {
	fmt.Fprintf(w, "\n%s", printable.Text(x.Sensor))
	if x.Line > 0 {
		fmt.Fprintf(w, "  (line %d", x.Line)
		if x.Member > 0 {
			fmt.Fprintf(w, ", member %d", x.Member)
		}
		fmt.Fprint(w, ")")
	}
	fmt.Fprintln(w)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s %s\n", name, printable.Text(fmt.Sprintf(format, args...)))
	}
	state := string(x.State)
	if x.Detail != "" {
		state += ": " + x.Detail
	}
	row("state", "%s, for %s", state, span(now.Sub(x.Since)))
	switch {
	case x.Preselected != "" && x.Pattern != "":
		row("interface", "%s (%s)", x.Preselected, x.Pattern)
	case x.Preselected != "":
		row("interface", "%s (%s)", x.Preselected, x.Select)
	case x.Select != "":
		row("interface", "none (%s)", x.Select)
	default:
		row("interface", "any, the sensor chooses")
	}
	if x.Address != "" {
		row("address", "%s, connected %s", x.Address, times(x.Connects))
	}
	if c := x.Capture; c != nil {
		what := "running"
		switch {
		case !c.Running:
			what = "ended"
		case c.Link == agent.LinkDown || c.Link == agent.LinkDeleted:
			what = "no frames, interface " + string(c.Link)
		}
		row("capture", "%s: %s to %s as %s, snap length %d%s", what, c.Interface, c.Data, c.Format, c.Snaplen, captureNotes(c))
	}
	n := &x.Total
	row("frames", "received %d, ring drops %d, captured %d, packed %d, sampled out %d, rate dropped %d, interface drops %d",
		n.Received, n.RingDrops, n.Captured, n.Packed, n.Sampled, n.RateDropped, n.InterfaceDrops)
	row("datagrams", "sent %d (%d bytes, %d sends), dropped %d, errors %d, refused %d", n.Datagrams, n.SentBytes, n.Sends, n.SendDropped, n.ICMPErrors, n.SendRefusals)
	if c := x.Capture; c != nil && c.FileCut+c.FileOtherLink > 0 {
		row("file", "cut %d frames longer than any snap length, left out %d of another link type", c.FileCut, c.FileOtherLink)
	}
	for _, e := range x.SendErrors {
		row("send errors", "%d: %s (%s)", e.Errors, e.Text, e.Errno)
	}
	for _, d := range x.SendDrops {
		row("dropped", "%d: %s (%s)", d.Datagrams, d.Text, d.Errno)
	}
	if c := x.Capture; c != nil && c.Running && c.SendRefused != "" {
		row("problem", "nothing is sent: %s; the agent tries one datagram a second", c.SendRefused)
	}
	if x.LastError != "" {
		ago := ""
		if x.LastErrorAt != nil {
			ago = ", " + span(now.Sub(*x.LastErrorAt)) + " ago"
		}
		row("last error", "%s (%d in all%s)", x.LastError, x.Errors, ago)
	}
}

func captureNotes(c *agent.CaptureStatus) string {
	var notes []string
	if c.Promiscuous {
		notes = append(notes, "promiscuous")
	}
	if c.Datagram > 0 {
		notes = append(notes, fmt.Sprintf("datagrams of %d", c.Datagram))
	}
	if c.GSO != "" {
		notes = append(notes, "GSO "+c.GSO)
	}
	if c.Shedding > 1 {
		notes = append(notes, fmt.Sprintf("shedding load, one frame in %d is kept", c.Shedding))
	}
	if c.UserFilter {
		notes = append(notes, "filter in user space")
	}
	if len(notes) == 0 {
		return ""
	}
	return ", " + strings.Join(notes, ", ")
}

// asciiJSON escapes what is not ASCII: JSON lets through characters that give orders to a terminal.
func asciiJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		}
	}
	return out
}

func span(d time.Duration) string { return d.Round(time.Second).String() }
