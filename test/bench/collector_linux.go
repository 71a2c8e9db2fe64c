package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"rpcapd/test/netlab"
)

// receivingProcess is a collector in a process of its own, so that all that it costs can be
// told apart. They talk through pipes: it says its port, is told the number of frames
// packed when all is over, and says what it received.
type receivingProcess struct {
	*process
	number uint16
	tell   *os.File
	said   *bufio.Reader
	pipe   *os.File // behind said
}

// newReceivingProcess starts one; the files of its log are below dir.
func newReceivingProcess(on *netlab.Namespace, cpu int, dir string, p profile) (c *receivingProcess, err error) {
	theirIn, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	hear, theirOut, err := os.Pipe()
	if err != nil {
		tell.Close()
		return nil, err
	}
	defer theirOut.Close()
	cmd := on.Command("/proc/self/exe", strconv.Itoa(cpu), p.name)
	cmd.Env = append(os.Environ(), helperVariable+"="+helperReceive)
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	c = &receivingProcess{tell: tell, said: bufio.NewReader(hear), pipe: hear}
	if c.process, err = startCommand(cmd, dir, "receiver"); err == nil {
		err = json.NewDecoder(c.line()).Decode(&c.number)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	return c, nil
}

// line is what the process says next.
func (c *receivingProcess) line() io.Reader {
	r, w := io.Pipe()
	go func() {
		b, err := c.said.ReadBytes('\n')
		_, _ = w.Write(b) // fails if nobody reads any more
		w.CloseWithError(err)
	}()
	return r
}

func (c *receivingProcess) close() {
	c.tell.Close()
	c.pipe.Close()
}

func (c *receivingProcess) port() uint16 { return c.number }

func (c *receivingProcess) finish(packed uint64) (got received, err error) {
	defer c.close()
	if _, err := fmt.Fprintln(c.tell, packed); err != nil {
		return got, fmt.Errorf("tell receiver: %w", err)
	}
	if err := json.NewDecoder(c.line()).Decode(&got); err != nil {
		return got, fmt.Errorf("receiver: %w: %s", err, c.tail())
	}
	<-c.done
	return got, nil
}

// receiveMain is the process: arguments are its CPU and the profile.
func receiveMain(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("receive: CPU and profile are missing")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	p, err := parseProfile(args[1])
	if err != nil {
		return err
	}
	if err := pin(cpu); err != nil { // and with it the threads made from here on
		return err
	}
	from, err := newPlainReceiver()
	if err != nil {
		return err
	}
	s := receiveStream(from, p)
	fmt.Println(s.port())
	var packed uint64
	if _, err := fmt.Scan(&packed); err != nil {
		return err
	}
	got, err := s.finish(packed)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}
