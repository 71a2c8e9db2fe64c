package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"time"

	"rpcapd/test/netlab"
	"rpcapd/test/simulator"
)

// fleet is a simulator in a process of its own. They talk through pipes: it is told what
// to send, and answers with its numbers.
type fleet struct {
	*process
	tell *json.Encoder
	said *json.Decoder
	ends []io.Closer
}

// newFleet starts one whose agents dial 127.0.0.1.
func newFleet(on *netlab.Namespace, cpu int, dir string, agents int) (f *fleet, err error) {
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
	cmd := on.Command("/proc/self/exe", strconv.Itoa(cpu), strconv.Itoa(agents))
	cmd.Env = append(os.Environ(), helperVariable+"="+helperSimulate)
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	f = &fleet{tell: json.NewEncoder(tell), said: json.NewDecoder(bufio.NewReader(hear)), ends: []io.Closer{tell, hear}}
	if f.process, err = startCommand(cmd, dir, "simulator"); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// close ends the process.
func (f *fleet) close() {
	for _, c := range f.ends {
		c.Close()
	}
}

// ask sets the load and returns the numbers.
func (f *fleet) ask(l simulator.Load) (n simulator.Numbers, err error) {
	if err = f.tell.Encode(l); err == nil {
		err = f.said.Decode(&n)
	}
	if err != nil {
		return n, fmt.Errorf("simulator: %w: %s", err, f.tail())
	}
	if len(n.Complaints) > 0 {
		return n, fmt.Errorf("simulator: %s", n.Complaints[0])
	}
	return n, nil
}

// all waits until every agent captures and returns all that happened meanwhile.
func (f *fleet) all(agents int, patience time.Duration) (n simulator.Numbers, err error) {
	for limit := time.Now().Add(patience); ; time.Sleep(poll) {
		now, err := f.ask(simulator.Load{})
		if err != nil {
			return n, err
		}
		now.Attempts, now.Handshakes = append(n.Attempts, now.Attempts...), append(n.Handshakes, now.Handshakes...)
		if n = now; n.Capturing == agents {
			return n, nil
		}
		if time.Now().After(limit) {
			return n, fmt.Errorf("of %d agents %d are connected and %d capture after %v", agents, n.Connected, n.Capturing, patience)
		}
	}
}

// simulateMain is the process: arguments are its CPU and the number of agents. It ends
// when nobody speaks to it any more.
func simulateMain(args []string) error {
	if len(args) != 2 {
		return errors.New("simulate: CPU and number of agents are missing")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	agents, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	if err := pin(cpu); err != nil {
		return err
	}
	f, err := simulator.New(agents, netip.AddrPortFrom(netip.MustParseAddr(fleetSensor), controlPort))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	answers := json.NewEncoder(os.Stdout)
	var before simulator.Load
	for in := json.NewDecoder(os.Stdin); ; {
		var l simulator.Load
		if err = in.Decode(&l); err != nil {
			break
		}
		if l != before {
			f.SetLoad(l)
			before = l
		}
		if err = answers.Encode(f.Numbers()); err != nil {
			break
		}
	}
	cancel()
	<-done
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
