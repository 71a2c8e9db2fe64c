package iface

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// dumpTries bounds how often a dump is repeated when the tables changed under it.
// What the last try gave is used: another change follows, and Watch tells of it.
const dumpTries = 4

// The library determines the byte order at its first use, unguarded. Here no other goroutine runs yet.
func init() { nl.NativeEndian() }

// read dumps links and addresses and asks for the connection status of each link.
func read() ([]Interface, error) {
	links, err := dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), skipStatistics())
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	addrs, err := dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_UNSPEC))
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	list := make([]Interface, 0, len(links))
	for _, m := range links {
		i, err := parseLink(m)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		list = append(list, i)
	}
	if err := addAddresses(list, addrs); err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	addStatus(list)
	return list, nil
}

// dump asks rtnetlink for a whole table. Its messages come without the netlink
// header.
func dump(request int, answer uint16, data ...nl.NetlinkRequestData) ([][]byte, error) {
	for try := 1; ; try++ {
		req := nl.NewNetlinkRequest(request, unix.NLM_F_DUMP)
		for _, d := range data {
			req.AddData(d)
		}
		messages, err := req.Execute(unix.NETLINK_ROUTE, answer)
		if err == nil || (errors.Is(err, nl.ErrDumpInterrupted) && try == dumpTries) {
			return messages, nil
		}
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			return nil, os.NewSyscallError("netlink dump", err)
		}
	}
}

// skipStatistics asks for links without their counters, most of a dump's bytes.
func skipStatistics() nl.NetlinkRequestData {
	const filterSkipStats = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	return nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(filterSkipStats))
}
