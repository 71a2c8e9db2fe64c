package udpstr

import "time"

type Packet struct {
	Frame
	Number uint64
}
type ReassemblerConfig struct {
	Window    int
	Hold      time.Duration
	MaxCaplen uint32
}
type Counters struct{ Datagrams, Bytes, InOrder, Reordered, Lost, Late, Duplicate, Malformed, Delivered, DeliveredBytes, Missing, LastNumber uint64 }
type Reassembler struct{}

func NewReassembler(cfg ReassemblerConfig, deliver func(*Packet)) *Reassembler { return &Reassembler{} }
func (r *Reassembler) Datagram(b []byte, now time.Time)                        {}
func (r *Reassembler) Expire(now time.Time)                                    {}
func (r *Reassembler) Deadline() (time.Time, bool)                             { return time.Time{}, false }
func (r *Reassembler) Flush()                                                  {}
func (r *Reassembler) Counters() Counters                                      { return Counters{} }
func (r *Reassembler) Tail(captured uint32) (missing uint64)                   { return 0 }
