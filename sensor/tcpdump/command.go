package tcpdump

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rpcapd/filter"
	"rpcapd/printable"
	"rpcapd/rpcap"
	"rpcapd/savefile"
)

// command is how a compiler runs tcpdump.
type command struct {
	tcpdump string        // name or path
	wall    time.Duration // for a run; names in the filter may have to be looked up
	cpu     time.Duration // of the processor's time, where the system can limit it; whole seconds
	memory  uint64        // bytes, likewise
	nice    int           // 0 to 19
}

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
