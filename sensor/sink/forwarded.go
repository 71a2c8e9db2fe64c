package sink

// Forwarded is what the agent says of its capture (STATS), summed in 64 bits. All zero and Known false before the
// first answer.
type Forwarded struct {
	Known            bool
	Received         uint64 // ifrecv: accepted by the filter, ring drops included
	InterfaceDropped uint64 // ifdrop
	KernelDropped    uint64 // krnldrop: dropped because the agent's ring was full
	Captured         uint64 // svrcapt: given to the forwarder, equals the number of the last frame
}

// Since is what was forwarded after an earlier reading.
func (f Forwarded) Since(earlier Forwarded) Forwarded {
	f.Received -= earlier.Received
	f.InterfaceDropped -= earlier.InterfaceDropped
	f.KernelDropped -= earlier.KernelDropped
	f.Captured -= earlier.Captured
	return f
}

// Add adds the numbers of another stream.
func (f *Forwarded) Add(o Forwarded) {
	f.Known = f.Known || o.Known
	f.Received += o.Received
	f.InterfaceDropped += o.InterfaceDropped
	f.KernelDropped += o.KernelDropped
	f.Captured += o.Captured
}
