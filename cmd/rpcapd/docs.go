//go:build docs

package main

import (
	"os"

	"rpcapd/cmd/internal/build"
	"rpcapd/packaging/manpage"
)

// init writes the manual pages: rpcapd DIR EXTRAS, of a program built with the tag docs.
func init() {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, defaultFile: defaultFile()}
	manpage.Main(a.rootCommand(), build.Version(version), "Packet-forwarding agent", os.Args[1], os.Args[2], "rpcapd.ini(5)", "rpcap-sensor(8)")
}
