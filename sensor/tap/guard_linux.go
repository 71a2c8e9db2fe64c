package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The library determines the byte order at its first use, unguarded. Here no other goroutine runs yet.
func init() { nl.NativeEndian() }

const (
	filterPrio   = 1
	filterHandle = 1
)

// hooks are clsact's two blocks: of what comes in, behind AF_PACKET, and of what goes out, before AF_PACKET.
var hooks = []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS}

// guard makes the interface a dead end: a classifier drops what comes in behind the readers, and what the machine would
// send before they see it. A guard that is there already is left as it is.
func (c *control) guard() error {
	index := c.link.Attrs().Index
	clsact := &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}}
	if err := netlink.QdiscAdd(clsact); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("guard TAP interface %s: add clsact: %w", c.name, os.NewSyscallError("netlink RTM_NEWQDISC", err))
	}
	for _, hook := range hooks {
		if _, err := dropAll(index, hook).Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("guard TAP interface %s: add classifier: %w", c.name, os.NewSyscallError("netlink RTM_NEWTFILTER", err))
		}
	}
	return nil
}

// dropAll is the request for a classifier of one instruction at a hook of an interface. It is classic BPF, which needs
// no bpf() call, and which netlink.BpfFilter does not know.
func dropAll(index int, hook uint32) *nl.NetlinkRequest {
	all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}) // in network byte order
	program := binary.NativeEndian.AppendUint16(nil, unix.BPF_RET|unix.BPF_K)
	program = append(program, 0, 0)
	program = binary.NativeEndian.AppendUint32(program, uint32(netlink.TC_ACT_SHOT))
	options := nl.NewRtAttr(nl.TCA_OPTIONS, nil)
	options.AddRtAttr(nl.TCA_BPF_OPS_LEN, nl.Uint16Attr(1))
	options.AddRtAttr(nl.TCA_BPF_OPS, program)
	options.AddRtAttr(nl.TCA_BPF_FLAGS, nl.Uint32Attr(nl.TCA_BPF_FLAG_ACT_DIRECT))
	r := nl.NewNetlinkRequest(unix.RTM_NEWTFILTER, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	r.AddData(&nl.TcMsg{
		Family: unix.AF_UNSPEC, Ifindex: int32(index), Handle: filterHandle, Parent: hook,
		Info: filterPrio<<16 | uint32(all),
	})
	r.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("bpf")))
	r.AddData(options)
	return r
}
