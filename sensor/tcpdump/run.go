package tcpdump

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"rpcapd/filter"
	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/savefile"
)

// maxVerdict is the longest message of tcpdump that is passed on, in characters.
const maxVerdict = 200

// errRejectsAll is a filter that no frame can pass.
var errRejectsAll = errors.New("no frame can pass the filter (tcpdump: expression rejects all packets)")

// Error is why tcpdump has not judged a filter: it took too long, was killed, has crashed, is not there. It says
// nothing of the filter on other link types.
type Error struct {
	what string
	cure string
	err  error // may be nil
	hard bool  // the same filter fails in the same way again
}

func (e *Error) Error() string {
	text := e.what
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text + "; " + e.cure
}

func (e *Error) Unwrap() error { return e.err }

// cureLong is what helps against filters that keep tcpdump busy. Each "host" stands for IPv4, ARP and RARP; a thousand of
// "ip host" compile in a second, where a thousand of "host" take a minute.
const cureLong = "write networks instead of many hosts (net 10.1.0.0/16), or ip host instead of host"

// command is how a compiler runs tcpdump.
type command struct {
	tcpdump string        // name or path
	wall    time.Duration // for a run; names in the filter may have to be looked up
	cpu     time.Duration // of the processor's time, where the system can limit it; whole seconds
	memory  uint64        // bytes, likewise
	nice    int           // 0 to 19
}

// run feeds tcpdump the header of an empty capture file of that link type: that works without any privilege, for
// every link type and with every version, where -y would look for a device.
func (t *command) run(ctx context.Context, expression string, linkType uint32) (rpcap.Program, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, t.wall, &Error{
		what: fmt.Sprintf("tcpdump has not compiled it within %v", t.wall), hard: true,
		cure: cureLong + ", and addresses instead of names",
	})
	defer cancel()
	cmd := exec.CommandContext(bounded, t.tcpdump, "-ddd", "-r", "-", "--", expression)
	cmd.WaitDelay = time.Second // a wrapper may leave a child that keeps the pipes open
	cmd.Env = []string{}        // nothing in ours is meant for it
	cmd.Stdin = bytes.NewReader(emptyCapture(linkType))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Start()
	if err == nil {
		t.confine(cmd.Process.Pid)
		err = cmd.Wait()
	}
	switch {
	case bounded.Err() != nil:
		return nil, context.Cause(bounded)
	case err != nil:
		return nil, t.failure(err, stderr.String())
	}
	p, err := parseProgram(&stdout)
	if errors.Is(err, filter.ErrInvalid) {
		return nil, fmt.Errorf("no kernel runs the program that tcpdump makes of it: %w", err)
	}
	return p, err
}

// failure tells tcpdump's verdict on a filter from what kept it from one.
func (t *command) failure(err error, said string) error {
	exit := (*exec.ExitError)(nil)
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return &Error{what: "tcpdump is not there", err: err, cure: "install tcpdump, or remove the filter"}
	case !errors.As(err, &exit):
		return &Error{what: "tcpdump cannot be run", err: err, cure: "allow this user to execute it, or remove the filter"}
	}
	verdict := verdictOf(said)
	switch {
	case usedUpCPU(exit):
		return &Error{what: fmt.Sprintf("tcpdump has computed for %v without a result", t.cpu), hard: true, cure: cureLong}
	case !exit.Exited():
		return &Error{what: "tcpdump has ended by " + exit.String(), cure: "check the system log, for example for a lack of memory, and try the filter with tcpdump -d"}
	case strings.Contains(verdict, "out of memory") || strings.Contains(verdict, "malloc"):
		return &Error{what: "tcpdump ran out of memory (" + verdict + ")", hard: true, cure: cureLong}
	case exit.ExitCode() != 1 || verdict == "":
		what := "tcpdump has failed with " + exit.String()
		if verdict != "" {
			what += " (" + verdict + ")"
		}
		return &Error{what: what, cure: "try the filter with tcpdump -d"}
	case strings.Contains(verdict, "expression rejects all packets"):
		return errRejectsAll
	}
	return errors.New(verdict)
}

// verdictOf is tcpdump's message without its banner, its warnings and the program's name.
func verdictOf(said string) (verdict string) {
	for line := range strings.Lines(said) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "tcpdump: ")
		lower := strings.ToLower(line)
		if line != "" && !strings.HasPrefix(lower, "reading from file") && !strings.HasPrefix(lower, "warning") {
			verdict = printable.Line(line, maxVerdict)
		}
	}
	return verdict
}

// emptyCapture is the 24-byte header of a pcap file.
func emptyCapture(linkType uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, rpcap.MaxSnaplen)
	return binary.LittleEndian.AppendUint32(b, savefile.FromDLT(linkType))
}

// parseProgram reads the output of tcpdump -ddd: the number of instructions, then "op jt jf k" on each line.
func parseProgram(out *bytes.Buffer) (rpcap.Program, error) {
	broken := func(format string, args ...any) error {
		return &Error{what: "tcpdump's output is not a program", err: fmt.Errorf(format, args...), cure: "try the filter with tcpdump -ddd"}
	}
	s := bufio.NewScanner(out)
	if !s.Scan() {
		return nil, broken("it is empty")
	}
	n, err := strconv.Atoi(strings.TrimSpace(s.Text()))
	if err != nil || n < 1 {
		return nil, broken("%q is no number of instructions", printable.Line(s.Text(), 40))
	}
	if n > rpcap.MaxInstructions {
		return nil, &Error{what: fmt.Sprintf("it makes %d instructions, and agents take %d", n, rpcap.MaxInstructions), hard: true, cure: cureLong}
	}
	p := make(rpcap.Program, 0, n)
	for s.Scan() {
		var i rpcap.Instruction
		if _, err := fmt.Sscan(s.Text(), &i.Op, &i.Jt, &i.Jf, &i.K); err != nil {
			return nil, broken("instruction %d: %w", len(p), err)
		}
		if p = append(p, i); len(p) > n {
			break
		}
	}
	if len(p) != n {
		return nil, broken("%d instructions announced, %d or more found", n, len(p))
	}
	return p, filter.Validate(p)
}
