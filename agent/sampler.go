package agent

import (
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// sampler leaves frames out as SETSAMPLING asks, after the filter and before the
// copy, so that what is left out costs nothing more (docs/RPCAP.md).
type sampler struct {
	method rpcap.SamplingMethod
	n      uint64 // one in n frames, or n microseconds
	skip   uint64 // frames to leave out before the next one is kept
	next   uint64 // microseconds since the epoch from which a frame is kept
}

// newSampler: N of 0 or 1 keeps everything, whatever the method.
func newSampler(r rpcap.SamplingRequest) sampler {
	if r.Value <= 1 && r.Method == rpcap.SamplingOneInN || r.Value == 0 {
		return sampler{}
	}
	s := sampler{method: r.Method, n: uint64(r.Value)}
	if r.Method == rpcap.SamplingFirstAfterMillis {
		s.n *= 1000
	}
	return s
}

// keep compacts frames to those that are forwarded.
func (s *sampler) keep(frames []udpstr.Frame) []udpstr.Frame {
	switch s.method {
	case rpcap.SamplingOneInN:
		return s.oneInN(frames)
	case rpcap.SamplingFirstAfterMillis:
		return s.firstAfter(frames)
	}
	return frames
}

// oneInN keeps the first frame of every n.
func (s *sampler) oneInN(frames []udpstr.Frame) []udpstr.Frame {
	kept, i, total := 0, s.skip, uint64(len(frames))
	for ; i < total; i += s.n {
		frames[kept] = frames[i]
		kept++
	}
	s.skip = i - total
	return frames[:kept]
}

// firstAfter keeps a frame and leaves out what follows it within n microseconds,
// by the time stamps of the frames. A clock that steps back by more than the
// interval starts anew.
func (s *sampler) firstAfter(frames []udpstr.Frame) []udpstr.Frame {
	kept := 0
	for i := range frames {
		t := uint64(frames[i].Sec)*1e6 + uint64(frames[i].Usec)
		if t < s.next && t+s.n >= s.next {
			continue
		}
		s.next = t + s.n
		frames[kept] = frames[i]
		kept++
	}
	return frames[:kept]
}
