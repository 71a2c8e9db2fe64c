package status

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"rpcapd/numbers"
	"rpcapd/printable"
)

// WriteSummary prints for each peer what it forwarded against what arrived, for people. It writes once, so that nothing else
// comes between the lines.
func WriteSummary(out io.Writer, c Counters, peers []Peer, ports []Port) error {
	var b bytes.Buffer
	if err := writeSummary(&b, c, peers, ports); err != nil {
		return err
	}
	_, err := out.Write(b.Bytes())
	return err
}

func writeSummary(w io.Writer, c Counters, peers []Peer, ports []Port) error {
	silent := ""
	if c.Silent > 0 {
		silent = fmt.Sprintf(", %d of them never answered", c.Silent)
	}
	if _, err := fmt.Fprintf(w, "rpcap-sensor: %s, %d refused, %s ended%s\n",
		numbers.Things(c.Accepted, "connection"), c.Refused, numbers.Things(c.Ended, "session"), silent); err != nil {
		return err
	}
	for i := range peers {
		if err := writePeer(w, &peers[i]); err != nil {
			return err
		}
	}
	for _, p := range ports {
		if p.Foreign == 0 && p.KernelDrops == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "data port %d: foreign %d, dropped by the kernel %d datagrams\n",
			p.Port, p.Foreign, p.KernelDrops); err != nil {
			return err
		}
	}
	return nil
}

// writePeer prints one peer.
func writePeer(w io.Writer, p *Peer) error {
	head := fmt.Sprintf("%s: %s", printable.Line(p.Name, 2*printable.MaxName), p.State)
	if p.Reason != "" {
		head += " (" + printable.Line(p.Reason, printable.MaxText) + ")"
	}
	if p.Rule != "" {
		head += ", rule " + p.Rule
	}
	if p.DataPort != 0 {
		head += fmt.Sprintf(", port %d", p.DataPort)
	}
	if p.Format != "" {
		head += ", " + p.Format
	}
	if p.Sessions > 1 {
		head += fmt.Sprintf(", %d captures", p.Sessions)
	}
	head += ", since " + p.Since.Format(time.DateTime)
	if p.Rule == "" { // never got as far as a capture
		_, err := fmt.Fprintln(w, head)
		return err
	}
	forwarded := "unknown"
	if f := p.Forwarded; f.Known {
		forwarded = fmt.Sprintf("ifrecv %d, krnldrop %d, ifdrop %d, captured %d",
			f.Received, f.KernelDropped, f.InterfaceDropped, f.Captured)
	}
	r := p.Received
	_, err := fmt.Fprintf(w, "%s\n  forwarded: %s\n"+
		"  received:  datagrams %d, bytes %d, frames %d, lost %d, late %d, duplicate %d, malformed %d, %s\n"+
		"  output:    written %d, dropped %d%s\n",
		head, forwarded, r.Datagrams, r.Bytes, r.Frames, r.Lost, r.Late, r.Duplicate, r.Malformed, p.missing(),
		p.Sinks.Written, p.Sinks.Dropped, p.without())
	if notes := p.notes(); err == nil && len(notes) > 0 {
		_, err = fmt.Fprintf(w, "  notes:     %s\n", strings.Join(notes, "; "))
	}
	return err
}

// clockNoted is the difference of the clocks from which on it is worth a note.
const clockNoted = 100 * time.Millisecond

// notes is what people should know besides the numbers.
func (p *Peer) notes() (notes []string) {
	if d := p.ClockOffset; p.ClockKnown && d.Abs() >= clockNoted {
		where := "ahead"
		if d < 0 {
			where = "behind"
		}
		notes = append(notes, fmt.Sprintf("the agent's clock is %v %s", d.Abs().Round(time.Millisecond), where))
	}
	if p.FrameAge > 0 {
		notes = append(notes, fmt.Sprintf("its frames are %s old: a capture file, or a clock that was never set", numbers.Things(uint64(p.FrameAge/(24*time.Hour)), "day")))
	}
	if p.Rebound > 0 {
		notes = append(notes, "source port changed "+numbers.Things(p.Rebound, "time"))
	}
	if p.Disowned > 0 {
		notes = append(notes, numbers.Things(p.Disowned, "frame")+" of another sender at the agent's address reached outputs before the sensor detected it")
	}
	if p.NoSegmentation {
		notes = append(notes, "hardly anything arrived until the agent was asked to send no super-packets")
	}
	if p.Reconnects > 0 {
		notes = append(notes, numbers.Things(p.Reconnects, "reconnect"))
	}
	if p.LastError != "" && p.LastError != p.Reason {
		notes = append(notes, fmt.Sprintf("last error at %s: %s", p.LastErrorAt.Format(time.TimeOnly), printable.Line(p.LastError, printable.MaxText)))
	}
	return notes
}

// without says what outputs have not got for good reasons, where there is any.
func (p *Peer) without() (text string) {
	if n := p.Sinks.LeftOut; n > 0 {
		text += fmt.Sprintf(", left out %d", n)
	}
	if n := p.Deduplicated; n > 0 {
		text += fmt.Sprintf(", duplicates of another agent %d", n)
	}
	return text
}

// missing says what has not come, with a ≥ when the agent's final numbers are not known.
func (p *Peer) missing() string {
	least := ""
	if p.Tail == TailUnknown {
		least = "≥ "
	}
	text := fmt.Sprintf("missing %s%d frames (tail %s)", least, p.Received.Missing, p.tail())
	if p.Unaccounted > 0 {
		text += fmt.Sprintf(", unaccounted %d", p.Unaccounted)
	}
	return text
}

// tail says what is known of the end.
func (p *Peer) tail() string {
	if p.TailLost > 0 {
		return fmt.Sprintf("%s, %d lost there", p.Tail, p.TailLost)
	}
	return p.Tail.String()
}
