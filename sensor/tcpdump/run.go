package tcpdump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"rpcapd/filter"
	"rpcapd/printable"
	"rpcapd/rpcap"
)

// maxVerdict is the longest message of tcpdump that is passed on, in characters.
const maxVerdict = 200

// errRejectsAll is a filter that no frame can pass.
var errRejectsAll = errors.New("no frame can pass the filter (tcpdump: expression rejects all packets)")

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
		return &Error{what: "tcpdump is not there", err: err, cure: "install tcpdump, or remove the filter; for a container see docs/CONTAINERS.md"}
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
