package udpstr

import "rpcapd/prefetch"

// Frames of smallLeast to smallMost bytes are copied by a few moves of fixed size. A call of the runtime's memmove costs as
// much as the whole rest of their record.
const (
	smallLeast = 32
	smallMost  = 128
)

// putSmall writes the records of small frames to b, numbered from npkt+1 on, and returns how many and their bytes. It stops at
// a record that does not fit, at a frame of another length, and where one lies ahead that is to be fetched. It calls
// nothing, so that all it needs stays in registers.
func putSmall(b []byte, frames []Frame, npkt uint32) (n, bytes int) {
	for n+fetchAhead < len(frames) {
		f := &frames[n]
		data := f.Data
		size := len(data)
		next := bytes + PacketHeaderLen + size
		if size < smallLeast || size > smallMost || next > len(b) || len(frames[n+fetchAhead].Data) > smallMost {
			break
		}
		n++
		rec := b[bytes:next]
		putPacketHeader(rec, f, size, npkt+uint32(n))
		to := rec[PacketHeaderLen:]
		if size <= 64 {
			copy32((*[32]byte)(to), (*[32]byte)(data))
			copy32((*[32]byte)(to[size-32:]), (*[32]byte)(data[size-32:]))
		} else {
			copy64((*[64]byte)(to), (*[64]byte)(data))
			copy64((*[64]byte)(to[size-64:]), (*[64]byte)(data[size-64:]))
		}
		bytes = next
	}
	return n, bytes
}

func copy64(to, from *[64]byte) {
	copy32((*[32]byte)(to[:]), (*[32]byte)(from[:]))
	copy32((*[32]byte)(to[32:]), (*[32]byte)(from[32:]))
}

// copy32 is two moves of 16 bytes; a move of 32 would be a call, since the compiler thinks that they may overlap.
func copy32(to, from *[32]byte) {
	*(*[16]byte)(to[:]) = *(*[16]byte)(from[:])
	*(*[16]byte)(to[16:]) = *(*[16]byte)(from[16:])
}

// Of frames longer than smallMost bytes, fetchMost bytes are asked for when the packer is at the frame fetchAhead before:
// each is a new place in memory, for which the processor would have to notice anew that it is read in order.
const (
	fetchAhead = 4
	fetchMost  = 2048
)

// fetch is inlined: small frames, which are many, cost two comparisons.
func fetch(frames []Frame, n int) {
	if n += fetchAhead; n < len(frames) && len(frames[n].Data) > smallMost {
		fetchData(frames[n].Data)
	}
}

//go:noinline
func fetchData(data []byte) { prefetch.Bytes(data[:min(len(data), fetchMost)]) }
