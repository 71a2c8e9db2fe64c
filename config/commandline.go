package config

import "rpcapd/iface"

const (
	// DefaultRingBytes is the memory of a capture ring without -z.
	DefaultRingBytes = 16 << 20
	// DefaultSendBuffer is the send buffer of a data socket without -u, in bytes.
	DefaultSendBuffer = 8 << 20
)

// CommandLine holds the options of the command line that a file can override, or
// that hold beside it. The zero value is a command line without options.
type CommandLine struct {
	Targets    []Target       // -a
	NullAuth   bool           // -n
	Interface  iface.Selector // -i: preselected for targets that select none themselves
	Datagram   Datagram       // -t
	RingBytes  int            // -z; 0: the default
	SendBuffer int            // -u; 0: the default
}

// Agent is the configuration without a file; -s saves it.
func (c CommandLine) Agent() Agent {
	return c.apply(Agent{Targets: c.Targets, NullAuth: c.NullAuth})
}

// Apply adds the command line to what a file says. The targets of the file replace
// those of -a, even if it has none; its NullAuthPermit, if there is one, replaces -n.
func (c CommandLine) Apply(file Agent) Agent {
	if !file.nullAuthSet {
		file.NullAuth = c.NullAuth
	}
	return c.apply(file)
}

func (c CommandLine) apply(a Agent) Agent {
	targets := make([]Target, len(a.Targets))
	copy(targets, a.Targets)
	for i := range targets {
		if targets[i].Select.IsZero() {
			targets[i].Select = c.Interface
		}
	}
	a.Targets = targets
	a.Datagram, a.RingBytes, a.SendBuffer = c.Datagram, c.RingBytes, c.SendBuffer
	if a.Datagram == (Datagram{}) {
		a.Datagram.Auto = true
	}
	if a.RingBytes == 0 {
		a.RingBytes = DefaultRingBytes
	}
	if a.SendBuffer == 0 {
		a.SendBuffer = DefaultSendBuffer
	}
	return a
}
