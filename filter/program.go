package filter

import (
	"golang.org/x/net/bpf"
)

// Program is a composed filter, ready to be attached. It is immutable.
type Program struct {
	// Kernel is attached to the socket. It refuses own traffic always, and holds
	// the sensor's program unless VM does. It never returns more than 262,144.
	Kernel []bpf.RawInstruction

	// VM is nil when the kernel runs it all. Otherwise each frame that Kernel
	// accepts is run through it, and what it keeps is forwarded: Kernel may accept
	// more bytes than the snap length then, because a program may look beyond.
	VM *VM

	exclude []bpf.RawInstruction // the prefix alone, each way out being a fall-through
	capped  []bpf.RawInstruction // the sensor's program, capped
	snaplen uint32
}

// RejectAll returns the program that refuses every frame.
func RejectAll() []bpf.RawInstruction {
	return []bpf.RawInstruction{{Op: opRetK}}
}
