package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"rpcapd/numbers"
	"rpcapd/printable"
	"rpcapd/sensor"
	"rpcapd/sensor/sink"
	"rpcapd/sensor/status"
)

// redraw is how often the progress line is written anew.
const redraw = 500 * time.Millisecond

// terminal is standard error with one line at the end that is rewritten, if it is a terminal. Any goroutine may use it.
type terminal struct {
	file *os.File
	is   bool

	mu   sync.Mutex // a leaf; guards what follows
	line string     // as it stands there now; empty: none
}

func newTerminal(f *os.File) *terminal { return &terminal{file: f, is: isTerminal(f)} }

// rewrite goes to the beginning of the line and clears it (ECMA-48).
const rewrite = "\r\x1b[K"

// Write implements zapcore.WriteSyncer: the text goes above the line.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line == "" {
		return t.file.Write(p)
	}
	n, err := t.file.WriteString(rewrite + string(p) + t.line)
	return max(0, min(n-len(rewrite), len(p))), err
}

// Sync implements zapcore.WriteSyncer; there is nothing to wait for.
func (t *terminal) Sync() error { return nil }

// show rewrites the line; an empty text takes it away. What cannot be shown is lost, as everything on a terminal.
func (t *terminal) show(text string) {
	if !t.is {
		return
	}
	if width, _, err := term.GetSize(int(t.file.Fd())); err == nil && width > 1 && len(text) >= width {
		text = text[:width-1] // the texts are ASCII; a full line would wrap
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if text != t.line {
		_, _ = t.file.WriteString(rewrite + text)
		t.line = text
	}
}

// progress tells how a capture goes.
type progress struct {
	sink   *limitedSink
	term   *terminal
	begin  time.Time
	output string
}

// service watches the time and the frames beside the sensor.
func (p *progress) service(_ context.Context, sen *sensor.Sensor, _ *outputs) (func(context.Context) error, error) {
	return func(ctx context.Context) error {
		select {
		case <-sen.Ready():
		case <-ctx.Done():
			return nil
		}
		p.begin = time.Now()
		if d := p.sink.duration; d > 0 {
			timer := time.AfterFunc(d, p.sink.expire)
			defer timer.Stop()
		}
		if _, err := fmt.Fprintf(p.term, "rpcap-sensor: waiting for agents on %s; frames go to %s; Ctrl-C ends it\n", where(sen), p.output); err != nil {
			return nil // nobody reads; the frames are what matters
		}
		p.draw(ctx, sen)
		return nil
	}, nil
}

// where is what agents dial, in words.
func where(sen *sensor.Sensor) string {
	var list []string
	for _, a := range sen.Addrs() {
		if a.Addr().IsUnspecified() {
			list = append(list, fmt.Sprintf("port %d", a.Port()))
			continue
		}
		list = append(list, net.JoinHostPort(a.Addr().String(), fmt.Sprint(a.Port())))
	}
	return strings.Join(list, ", ")
}

// draw keeps the line up to date until ctx ends.
func (p *progress) draw(ctx context.Context, sen *sensor.Sensor) {
	if !p.term.is {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	defer p.term.show("")
	last, lastAt, rate := uint64(0), p.begin, 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			frames, bytes := p.sink.taken()
			if d := now.Sub(lastAt); d >= time.Second {
				rate, last, lastAt = float64(frames-last)/d.Seconds(), frames, now
			}
			p.term.show(progressLine(frames, bytes, rate, lossOf(sen.Peers()), now.Sub(p.begin)))
		}
	}
}

// progressLine is what the line says.
func progressLine(frames, bytes uint64, rate float64, l loss, took time.Duration) string {
	return fmt.Sprintf("%s, %s, %.0f frames/s, lost %d, %s, %s",
		numbers.Things(frames, "frame"), numbers.Bytes(bytes), rate, l.total(), numbers.Things(l.agents, "agent"), took.Round(time.Second))
}

// loss says what did not get into the file, of the frames that the filter let pass.
type loss struct {
	agents   int // that have been captured from
	running  int
	atAgents uint64 // their rings were full, or their interfaces
	path     uint64 // between agent and sensor
	tail     bool   // the last frames of some agent are not accounted for
	output   uint64 // no room here
}

func (l loss) total() uint64 { return l.atAgents + l.path + l.output }

func lossOf(peers []status.Peer) (l loss) {
	for i := range peers {
		p := &peers[i]
		if p.Rule == "" || p.Interface == "" {
			continue
		}
		l.agents++
		if p.State == status.StateRunning {
			l.running++
		}
		l.atAgents += p.Forwarded.KernelDropped + p.Forwarded.InterfaceDropped
		l.path += p.Received.Missing
		if !p.UnaccountedSince.IsZero() { // no gap shows them while nothing comes
			l.path += p.Unaccounted
		}
		l.output += p.Sinks.Dropped
		l.tail = l.tail || p.Tail == status.TailUnknown
	}
	return l
}

// written is what an output has written, without what was only queued when its reader went or the disk failed. gone says
// that nobody reads it any more.
func written(sen *sensor.Sensor, output string) (frames, bytes uint64, gone bool) {
	for _, st := range sen.Sinks() {
		if st.Name != output {
			continue
		}
		return st.Written, st.Bytes, st.State == sink.Ended && strings.Contains(st.Error, sink.ErrConsumerGone.Error())
	}
	return 0, 0, false
}

// summary is printed at the end; limit is empty if none has ended the capture.
func (p *progress) summary(sen *sensor.Sensor, limit string) error {
	frames, bytes, gone := written(sen, p.sink.Name())
	peers := sen.Peers()
	l := lossOf(peers)
	took := time.Since(p.begin)
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, in %.1f s from %s", numbers.Things(frames, "frame"), numbers.Bytes(bytes), took.Seconds(), numbers.Things(l.agents, "agent"))
	switch {
	case limit != "":
		fmt.Fprintf(&b, "; ended at %s", limit)
	case gone:
		fmt.Fprintf(&b, "; ended because the reader of %s is gone", p.sink.Name())
	}
	fmt.Fprintf(&b, "\n%d lost on the way, %d dropped at the agents, %d dropped here", l.path, l.atAgents, l.output)
	if l.tail {
		b.WriteString(" (the last frames of an agent are not accounted for)")
	}
	b.WriteByte('\n')
	for i := range peers {
		q := &peers[i]
		name := printable.Text(q.Name)
		if q.Rule == "" || q.Interface == "" {
			fmt.Fprintf(&b, "  %s: nothing captured: %s\n", name, printable.Text(cmp.Or(q.Reason, string(q.State))))
			continue
		}
		fmt.Fprintf(&b, "  %s: %s, %d lost on the way\n", name, numbers.Things(q.Sinks.Written, "frame"), q.Received.Missing)
	}
	if c := sen.Counters(); c.Accepted == 0 {
		b.WriteString("no agent has connected; check that its rpcapd.ini names this machine and port, and that the firewall allows the connection\n")
	}
	_, err := p.term.Write([]byte(b.String()))
	return err
}
