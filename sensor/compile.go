package sensor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"rpcapd/filter"
	"rpcapd/printable"
	"rpcapd/rpcap"
)

const (
	// compileTimeout bounds a run of tcpdump; name resolution inside an expression can take seconds.
	compileTimeout = 10 * time.Second
	// maxCompiled bounds the cache: link types come from agents.
	maxCompiled = 1024
	// refusedFor is how long tcpdump's refusal is remembered: a thousand agents with one rule ask at once.
	refusedFor = 30 * time.Second
	// linkEthernet is the link type a filter is checked with when the sensor starts.
	linkEthernet = 1
	// maxCompiling bounds the runs of tcpdump at once.
	maxCompiling = 4
)

// compiler turns expressions in tcpdump syntax into programs by means of tcpdump -ddd, one per link type.
type compiler struct {
	tcpdump string // name or path of the program

	slots chan struct{} // one for each run of tcpdump

	mu      sync.Mutex // a leaf
	cache   map[compilerKey]rpcap.Program
	refused map[compilerKey]refusedFilter
	running map[compilerKey]chan struct{} // closed when that run of tcpdump has ended; nobody else compiles the same
}

// refusedFilter is an error that holds for a while.
type refusedFilter struct {
	err   error
	until time.Time
}

type compilerKey struct {
	expression string
	linkType   uint32
}

func newCompiler() *compiler {
	return &compiler{
		tcpdump: "tcpdump", slots: make(chan struct{}, maxCompiling),
		cache: make(map[compilerKey]rpcap.Program), refused: make(map[compilerKey]refusedFilter),
		running: make(map[compilerKey]chan struct{}),
	}
}

// compile returns the program for frames of the given link type (a DLT number). An empty expression accepts all and
// needs no tcpdump.
func (c *compiler) compile(ctx context.Context, expression string, linkType uint32) (rpcap.Program, error) {
	if strings.TrimSpace(expression) == "" {
		return rpcap.AcceptAll(), nil
	}
	key := compilerKey{expression, linkType}
	for {
		p, busy, err := c.known(key)
		if p != nil || err != nil {
			return p, err
		}
		if busy == nil {
			break
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("compile filter %q: %w", expression, context.Cause(ctx))
		}
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return c.settle(ctx, key, nil, context.Cause(ctx))
	}
	p, err := c.run(ctx, expression, linkType)
	<-c.slots
	return c.settle(ctx, key, p, err)
}

// known returns what is remembered of a filter, or the channel that closes when somebody else has compiled it. Without
// either the caller is to compile it, and to call settle.
func (c *compiler) known(key compilerKey) (p rpcap.Program, busy <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.cache[key]; ok {
		return p, nil, nil
	}
	if r := c.refused[key]; time.Now().Before(r.until) {
		return nil, nil, r.err
	}
	if done := c.running[key]; done != nil {
		return nil, done, nil
	}
	c.running[key] = make(chan struct{})
	return nil, nil, nil
}

// settle remembers the outcome and wakes those who wait for it. That ctx has ended says nothing about the filter.
func (c *compiler) settle(ctx context.Context, key compilerKey, p rpcap.Program, err error) (rpcap.Program, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.running[key])
	delete(c.running, key)
	if err != nil {
		err = fmt.Errorf("compile filter %q: %w", key.expression, err)
		if ctx.Err() == nil {
			remember(c.refused, key, refusedFilter{err, time.Now().Add(refusedFor)})
		}
		return nil, err
	}
	remember(c.cache, key, p)
	return p, nil
}

// forgetRefusals makes tcpdump judge anew: it may have been installed meanwhile.
func (c *compiler) forgetRefusals() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.refused)
}

// remember keeps the map within maxCompiled entries.
func remember[V any](m map[compilerKey]V, key compilerKey, v V) {
	if len(m) >= maxCompiled {
		clear(m)
	}
	m[key] = v
}

// check finds an expression that could be compiled for no link type.
func (c *compiler) check(ctx context.Context, expression string) error {
	_, err := c.compile(ctx, expression, linkEthernet)
	if err == nil || !linkTypeMatters(err) {
		return err
	}
	for _, linkType := range usualLinkTypes {
		if _, other := c.compile(ctx, expression, linkType); other == nil {
			return nil
		}
	}
	return err
}

// linkTypeMatters reports whether a filter that is refused for one link type may be good for another.
func linkTypeMatters(err error) bool {
	return !errors.Is(err, exec.ErrNotFound) && !strings.Contains(err.Error(), "syntax error")
}

// run feeds tcpdump the header of an empty capture file of that link type: that works without any privilege, for
// every link type and with every version, where -y would look for a device.
func (c *compiler) run(ctx context.Context, expression string, linkType uint32) (rpcap.Program, error) {
	ctx, cancel := context.WithTimeout(ctx, compileTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.tcpdump, "-ddd", "-r", "-", "--", expression)
	cmd.WaitDelay = time.Second // a wrapper may leave a child that keeps the pipes open
	cmd.Stdin = bytes.NewReader(emptyCapture(linkType))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("%w; install tcpdump, or remove the filter from the rule", err)
		}
		if msg := lastLine(stderr.String()); msg != "" {
			return nil, errors.New(msg)
		}
		return nil, fmt.Errorf("run tcpdump: %w", err)
	}
	return parseProgram(&stdout)
}

// emptyCapture is the 24-byte header of a pcap file.
func emptyCapture(linkType uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, rpcap.MaxSnaplen)
	return binary.LittleEndian.AppendUint32(b, FileLinkType(linkType))
}

// lastLine is the message of a failed tcpdump, without the program's name.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "tcpdump: ")
}

// parseProgram reads the output of tcpdump -ddd: the number of instructions, then "op jt jf k" on each line.
func parseProgram(out *bytes.Buffer) (rpcap.Program, error) {
	s := bufio.NewScanner(out)
	if !s.Scan() {
		return nil, errors.New("read tcpdump's output: it is empty")
	}
	n, err := strconv.Atoi(strings.TrimSpace(s.Text()))
	if err != nil || n < 1 || n > rpcap.MaxInstructions {
		return nil, fmt.Errorf("read tcpdump's output: %q is no number of instructions within 1 to %d",
			printable.Line(s.Text(), 40), rpcap.MaxInstructions)
	}
	p := make(rpcap.Program, 0, n)
	for s.Scan() {
		var i rpcap.Instruction
		if _, err := fmt.Sscan(s.Text(), &i.Op, &i.Jt, &i.Jf, &i.K); err != nil {
			return nil, fmt.Errorf("read tcpdump's output, instruction %d: %w", len(p), err)
		}
		if p = append(p, i); len(p) > n {
			break
		}
	}
	if len(p) != n {
		return nil, fmt.Errorf("read tcpdump's output: %d instructions announced, %d or more found", n, len(p))
	}
	return p, filter.Validate(p)
}

// excludeOwn puts instructions before p that drop the sensor's own control and data traffic. Both C agents would
// otherwise forward what they forward, without end, when they capture the interface that carries it. A program that
// cannot be composed is sent as it is: the project's own agent excludes its traffic anyway.
func excludeOwn(p rpcap.Program, linkType uint32, own filter.Endpoint, snaplen uint32) rpcap.Program {
	c, err := filter.Compose(linkType, filter.Exclusion{Endpoints: []filter.Endpoint{own}}, p, snaplen)
	if err != nil || c.VM != nil || len(c.Kernel) == 0 || len(c.Kernel) > rpcap.MaxInstructions {
		return p
	}
	out := make(rpcap.Program, len(c.Kernel))
	for i, k := range c.Kernel {
		out[i] = rpcap.Instruction{Op: k.Op, Jt: k.Jt, Jf: k.Jf, K: k.K}
	}
	return out
}
