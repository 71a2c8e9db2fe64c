package agent

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"rpcapd/udpsock"
)

// SendDrop is one reason for which datagrams were dropped when sending. The sum over all
// reasons is Counters.SendDropped.
type SendDrop struct {
	Errno     string `json:"errno"`     // EPERM, or its number where it has no name
	Text      string `json:"text"`      // what the system says of it
	Datagrams uint64 `json:"datagrams"` // dropped for it
}

// addDrops sums by errno.
func addDrops(sum, more []SendDrop) []SendDrop {
	sum = slices.Clone(sum)
	for _, d := range more {
		i := slices.IndexFunc(sum, func(s SendDrop) bool { return s.Errno == d.Errno })
		if i < 0 {
			sum = append(sum, d)
			continue
		}
		sum[i].Datagrams += d.Datagrams
	}
	return sum
}

// sendDrops turns the socket's numbers into words.
func sendDrops(list []udpsock.Drop) []SendDrop {
	var out []SendDrop
	for _, d := range list {
		out = append(out, SendDrop{Errno: errnoName(d.Errno), Text: errnoText(d.Errno), Datagrams: d.Datagrams})
	}
	return out
}

// errnoText is what an operator reads. Who refused is only said where it can be nobody else: an
// unreachable host may come from the routing table, a firewall or an ICMP message.
func errnoText(errno syscall.Errno) string {
	switch errno {
	case syscall.EAGAIN:
		return "the send buffer stayed full"
	case syscall.EPERM, syscall.EACCES:
		return errno.Error() + ": a firewall or policy of this host refuses what is sent"
	}
	return errno.Error()
}

// dropNews tells of each reason for dropped datagrams when it is first met. It belongs to
// the goroutine that sends.
type dropNews struct {
	complain func(what string, err error)
	known    int
}

// look costs one load when there is nothing new.
func (n *dropNews) look(s *udpsock.Sender) {
	now := s.DropReasons()
	if now == n.known {
		return
	}
	for _, d := range s.Drops()[n.known:now] {
		n.complain("datagrams dropped, the capture goes on", errors.New("send datagrams: "+describeDrop(d.Errno)))
	}
	n.known = now
}

func describeDrop(errno syscall.Errno) string {
	return fmt.Sprintf("%s (%s)", errnoText(errno), errnoName(errno))
}
