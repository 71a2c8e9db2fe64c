package sensor

import (
	"context"

	"rpcapd/sensor/receive"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/sink"
)

// What a program of its own needs of the packages below, so that it imports one package.
type (
	DataPorts = receive.DataPorts // the range of ports that agents send to
	Rule      = rule.Rule         // which agents and interfaces are wanted, and what is asked of them
	Sink      = sink.Sink         // a consumer of all frames
	Source    = sink.Source       // where frames come from
	Reader    = sink.Reader       // a sink for a loop; see NewReader
	Frame     = sink.Frame        // one frame in that loop
	Selection = sink.Selection    // the streams and frames that a sink wants
)

// NewReader returns a reader that holds at most about the given number of bytes; 0 means 16 MiB.
func NewReader(name string, limit int) *Reader { return sink.NewReader(name, limit) }

// Select returns a sink that passes on to k what the selection wants; see sink.Select.
func Select(ctx context.Context, s Selection, k Sink) (Sink, error) { return sink.Select(ctx, s, k) }
