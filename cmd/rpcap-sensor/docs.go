//go:build docs

package main

import (
	"os"

	"rpcapd/cmd/internal/build"
	"rpcapd/packaging/manpage"
)

// init writes the manual pages: rpcap-sensor DIR EXTRAS, of a program built with the tag docs.
func init() {
	manpage.Main(newCommand(os.Stdout, os.Stderr), build.Version(version), "Packet-forwarding sensor", os.Args[1], os.Args[2], "rpcap-sensor.ini(5)", "rpcapd(8)", "tcpdump(8)")
}
