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

// SendError is one kind of error that sends have met. The datagrams were sent again, or are in
// SendDrop as well. The sum over all kinds is Counters.ICMPErrors + Counters.SendRefusals.
type SendError struct {
	Errno  string `json:"errno"`
	Text   string `json:"text"`
	Errors uint64 `json:"errors"`
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

// addErrors likewise.
func addErrors(sum, more []SendError) []SendError {
	sum = slices.Clone(sum)
	for _, e := range more {
		i := slices.IndexFunc(sum, func(s SendError) bool { return s.Errno == e.Errno })
		if i < 0 {
			sum = append(sum, e)
			continue
		}
		sum[i].Errors += e.Errors
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

// sendErrors likewise.
func sendErrors(list []udpsock.SendError) []SendError {
	var out []SendError
	for _, e := range list {
		out = append(out, SendError{Errno: errnoName(e.Errno), Text: errnoText(e.Errno), Errors: e.Errors})
	}
	return out
}

// errnoText is what an operator reads. Who refused is only said where it can be nobody else: an
// unreachable host may come from the routing table, a firewall or an ICMP message.
func errnoText(errno syscall.Errno) string {
	switch errno {
	case syscall.EAGAIN:
		return "the send buffer stayed full"
	case syscall.ECONNREFUSED:
		return errno.Error() + ": the UDP port is closed at the destination, or a firewall rejects the datagrams; check that they go to the same sensor"
	case syscall.EPERM, syscall.EACCES:
		return errno.Error() + ": a firewall or policy of this host refuses what is sent"
	}
	return errno.Error()
}

// sendNews tells of each errno when it is first met. It belongs to the goroutine that sends.
type sendNews struct {
	complain      func(what string, err error)
	errors, drops int // known
}

// look costs two loads when there is nothing new.
func (n *sendNews) look(s *udpsock.Sender) {
	if now := s.ErrorKinds(); now != n.errors {
		for _, e := range s.Errors()[n.errors:now] {
			n.complain("send errors, the capture continues", errors.New("send datagrams: "+describeErrno(e.Errno)))
		}
		n.errors = now
	}
	if now := s.DropReasons(); now != n.drops {
		for _, d := range s.Drops()[n.drops:now] {
			n.complain("datagrams dropped, the capture continues", errors.New("send datagrams: "+describeErrno(d.Errno)))
		}
		n.drops = now
	}
}

func describeErrno(errno syscall.Errno) string {
	return fmt.Sprintf("%s (%s)", errnoText(errno), errnoName(errno))
}
