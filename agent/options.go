package agent

import (
	"os"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/udpsock"
)

// Options is what an agent is made from. The zero value of each field is the
// documented default; only Logger has none.
type Options struct {
	Config config.Agent // sessions and local policy, from rpcapd.ini and the command line
	Logger *zap.Logger

	Version    string  // shown in the status file
	ConfigFile string  // shown in the status file; empty when there is none
	RunDir     *RunDir // where status.json and rpcapd.prom go; nil: none is written

	ReadFile string // capture from this pcap or pcapng file instead of from interfaces (-r); - is standard input
	ReadOnce bool   // with ReadFile: each session ends when the file has been sent, the agent with the last one
	IPv4Only bool   // resolve sensors to IPv4 addresses only (-4)
	DryRun   bool   // capture and count, send nothing (-y)
	LogStats bool   // log the numbers whenever the sensor asks for STATS (-S)

	GSO udpsock.Mode // segmentation offload of the data sockets

	// Resized is called with the number of sessions after interfaces have changed it. It must not block. It may be nil.
	Resized func(sessions int)

	// Started is called once, when the sessions run and the first status files are written: from then on the agent is
	// found by its run directory. It may be nil.
	Started func()
}

// RunDir is the run directory, held open: an agent that has given up root may not be
// able to reach it by its path any more.
type RunDir struct{ root *os.Root }
