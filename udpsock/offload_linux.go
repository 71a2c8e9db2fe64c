package udpsock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func (s *Sender) probeOffload(m Mode) error {
	s.segments = 1
	if m == Off {
		return nil
	}
	if _, err := unix.GetsockoptInt(s.fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT); err != nil {
		why := fmt.Errorf("segmentation offload: %w (%w)", os.NewSyscallError("getsockopt UDP_SEGMENT", err), errors.ErrUnsupported)
		if m == On {
			return why
		}
		s.offload.Store(&offload{why: why})
		return nil
	}
	s.segments = MaxRunDatagrams
	s.offload.Store(&offload{on: true})
	return nil
}

// superSize returns how many datagrams the next super-packet has; 1 means that there is none.
func (s *Sender) superSize(bytes, size int) int {
	if size > s.largest && !s.dontFragment { // datagrams of a super-packet are never fragmented
		return 1
	}
	return min(s.segments, MaxRunBytes/size, (bytes+size-1)/size)
}

// halve makes super-packets half as long as the one that was refused.
func (s *Sender) halve(tried int, errno unix.Errno) {
	if s.segments = max(1, tried/2); s.segments == 1 {
		s.endOffload(fmt.Errorf("segmentation offload: super-packets of two datagrams refused: %w", os.NewSyscallError("sendmsg", errno)))
		return
	}
	s.counters.downgrades.Add(1)
}

// refusedRuns is how many runs in a row EINVAL, or a firewall, may refuse as super-packets until offload is switched off for good.
const refusedRuns = 3

// countRefusedRun is called when a super-packet was refused and its datagrams pass, or may.
func (s *Sender) countRefusedRun(errno unix.Errno) {
	if s.refused++; s.refused >= refusedRuns {
		s.endOffload(fmt.Errorf("segmentation offload: %d runs in a row refused: %w", refusedRuns, os.NewSyscallError("sendmsg", errno)))
		return
	}
	s.counters.downgrades.Add(1)
}

func (s *Sender) endOffload(why error) {
	s.segments = 1
	s.counters.downgrades.Add(1)
	s.offload.Store(&offload{why: why})
}
