//go:build !linux

package capture

// Fanout shares the frames of an interface between sources. Only Linux has it, and Open refuses it elsewhere.
type Fanout struct{}
