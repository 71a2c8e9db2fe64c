// Command rpcapd is the packet-forwarding agent: it connects to the sensors that its
// ini file names, captures what they ask for within the limits of that file, and sends
// it to them. It listens on nothing.
package main

import "os"

func main() { os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
