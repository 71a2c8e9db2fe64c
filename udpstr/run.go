package udpstr

// Run is a number of datagrams that can be sent with one system call: all have Size bytes but the last, which may be
// shorter. Bytes is memory of the Packer's buffer and holds until the next call of Append, Take or Repack.
type Run struct {
	Bytes     []byte // the datagrams laid end to end
	Size      int    // length of every datagram but a shorter last one
	Datagrams int    // how many there are
	FirstSeq  uint32 // seqno of the first
}

// Datagram returns datagram i of the run, 0 ≤ i < r.Datagrams.
func (r Run) Datagram(i int) []byte {
	return r.Bytes[i*r.Size : min((i+1)*r.Size, len(r.Bytes))]
}

// After returns what is left of the run when its first n datagrams have been sent.
func (r Run) After(n int) Run {
	n = max(0, min(n, r.Datagrams))
	return Run{
		Bytes:     r.Bytes[min(n*r.Size, len(r.Bytes)):],
		Size:      r.Size,
		Datagrams: r.Datagrams - n,
		FirstSeq:  r.FirstSeq + uint32(n),
	}
}
