package main

import (
	"fmt"
	"os"
	"slices"

	"rpcapd/test/netlab"
)

// Addresses of the three hosts. The client's link is captured; the frames travel to
// the sensor over the other one.
const (
	clientV4, clientV6 = "10.1.0.1", "fd01::1"
	hostV4, hostV6     = "10.1.0.2", "fd01::2"
	exportV4           = "10.2.0.2"
	sensorV4           = "10.2.0.3"
)

const picture = `
      client                      host                         sensor
  +-------------+          +------------------+          +----------------+
  |  ping  TCP  |   veth   |      rpcapd      |   veth   |  rpcap-sensor  |
  |    UDP      |----------| eth0        eth1 |----------|                |
  |             | captured |                  |  udpstr  |  frames.pcapng |
  +-------------+          +------------------+          +----------------+
     ` + clientV4 + `              ` + hostV4 + `  ` + exportV4 + `              ` + sensorV4 + `
     ` + clientV6 + `               ` + hostV6 + `

`

// stage is the three hosts. It ends the demo when one of them cannot be made.
type stage struct {
	client, host, sensor *netlab.Namespace
	cleanups             []func()
}

// Helper implements netlab.Failer.
func (s *stage) Helper() {}

// Fatalf implements netlab.Failer: it ends the demo.
func (s *stage) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "demo: "+format+"\n", args...)
	s.clear()
	os.Exit(1)
}

// Cleanup implements netlab.Failer.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// clear stops what runs and takes the hosts down.
func (s *stage) clear() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
	s.cleanups = nil
}

func build() *stage {
	s := &stage{}
	lab := netlab.NewFor(s)
	s.client, s.host, s.sensor = lab.Namespace("client"), lab.Namespace("host"), lab.Namespace("sensor")
	lab.Veth(s.client, "eth0", s.host, "eth0")
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	s.client.AddAddr("eth0", clientV4+"/24")
	s.client.AddAddr("eth0", clientV6+"/64")
	s.host.AddAddr("eth0", hostV4+"/24")
	s.host.AddAddr("eth0", hostV6+"/64")
	s.host.AddAddr("eth1", exportV4+"/24")
	s.sensor.AddAddr("eth0", sensorV4+"/24")
	return s
}
