// Command rpcap-sensor is the open receiver of packet-forwarding agents: it accepts agents that speak RPCAP in active
// mode, tells each what to capture, and writes the frames they send to a pcapng file or to standard output.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
