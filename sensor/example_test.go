package sensor_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"rpcapd/sensor"
	"rpcapd/sensor/rule"
)

// A program gets the frames of all agents in a loop of its own. Here the agent is one on this machine that sends three
// frames; in life they dial in from elsewhere, and the port is sensor.DefaultPort.
func ExampleNewReader() {
	reader := sensor.NewReader("my program", 0)
	s, err := sensor.New(sensor.Options{
		Listen:  netip.MustParseAddr("127.0.0.1"),
		Rules:   []rule.Rule{{Name: "all"}},
		Purpose: reader, // the sensor ends when the loop does
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	agent := dialAsAgent(s.Addrs()[0], 3)

	for f := range reader.Frames(ctx) {
		fmt.Printf("%s: frame %d of %d bytes, link type %d\n", f.Source.Name(), f.Number, f.Len, f.Source.LinkType)
		if f.Number == 3 {
			break
		}
	}
	if err := <-ended; err != nil {
		fmt.Println(err)
	}
	<-agent
	// Output:
	// 127.0.0.1/eth0: frame 1 of 60 bytes, link type 1
	// 127.0.0.1/eth0: frame 2 of 61 bytes, link type 1
	// 127.0.0.1/eth0: frame 3 of 62 bytes, link type 1
}

// Frames can be chosen by agent, rule and filter.
func ExampleSelect() {
	reader := sensor.NewReader("web servers", 0)
	wanted := sensor.Selection{Agents: []string{"web*", "10.1.0.0/16"}, Rules: []string{"dmz"}}
	sink, err := sensor.Select(context.Background(), wanted, reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sink.Name())
	// Output: web servers
}
