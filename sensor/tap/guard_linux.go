package tap

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Numbers of the kernel's traffic control, from include/uapi/linux/pkt_sched.h, pkt_cls.h and rtnetlink.h.
const (
	handleClsact = 0xfffffff1 // TC_H_CLSACT, the qdisc's parent
	qdiscHandle  = 0xffff0000
	hookIngress  = 0xfffffff2 // clsact's block of what comes in: behind AF_PACKET
	hookEgress   = 0xfffffff3 // and of what goes out: before AF_PACKET
	filterPrio   = 1          //
	filterHandle = 1          //

	attrKind    = 1 // TCA_KIND
	attrOptions = 2 // TCA_OPTIONS

	bpfOpsLen    = 4 // TCA_BPF_OPS_LEN
	bpfOps       = 5 // TCA_BPF_OPS
	bpfFlags     = 8 // TCA_BPF_FLAGS
	bpfActDirect = 1 // TCA_BPF_FLAG_ACT_DIRECT: the program's value is the verdict
	verdictDrop  = 2 // TC_ACT_SHOT

	addrGenMode     = 8 // IFLA_INET6_ADDR_GEN_MODE
	addrGenModeNone = 1 // IN6_ADDR_GEN_MODE_NONE
)

// guard makes the interface a dead end: a classifier drops what comes in behind the readers, and what the machine would
// send before they see it. A guard that is there already is left as it is.
func (c *control) guard() error {
	qdisc := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	qdisc.AddData(&nl.TcMsg{Family: unix.AF_UNSPEC, Ifindex: int32(c.index), Handle: qdiscHandle, Parent: handleClsact})
	qdisc.AddData(nl.NewRtAttr(attrKind, nl.ZeroTerminated("clsact")))
	if err := execute(qdisc); err != nil {
		return fmt.Errorf("guard TAP interface %s: add clsact: %w", c.name, err)
	}
	for _, hook := range []uint32{hookIngress, hookEgress} {
		if err := execute(c.dropAll(hook)); err != nil {
			return fmt.Errorf("guard TAP interface %s: add classifier: %w", c.name, err)
		}
	}
	return nil
}

// dropAll is the request for a classifier of one instruction at a hook.
func (c *control) dropAll(hook uint32) *nl.NetlinkRequest {
	all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}) // in network byte order
	program := binary.NativeEndian.AppendUint16(nil, unix.BPF_RET|unix.BPF_K)
	program = append(program, 0, 0)
	program = binary.NativeEndian.AppendUint32(program, verdictDrop)
	options := nl.NewRtAttr(attrOptions, nil)
	options.AddRtAttr(bpfOpsLen, nl.Uint16Attr(1))
	options.AddRtAttr(bpfOps, program)
	options.AddRtAttr(bpfFlags, nl.Uint32Attr(bpfActDirect))
	r := nl.NewNetlinkRequest(unix.RTM_NEWTFILTER, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	r.AddData(&nl.TcMsg{
		Family: unix.AF_UNSPEC, Ifindex: int32(c.index), Handle: filterHandle, Parent: hook,
		Info: filterPrio<<16 | uint32(all),
	})
	r.AddData(nl.NewRtAttr(attrKind, nl.ZeroTerminated("bpf")))
	r.AddData(options)
	return r
}

// noLinkLocal keeps IPv6 from giving the interface an address of its own making.
func (c *control) noLinkLocal() error {
	r := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = int32(c.index)
	r.AddData(m)
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	families.AddRtAttr(unix.AF_INET6, nil).AddRtAttr(addrGenMode, nl.Uint8Attr(addrGenModeNone))
	r.AddData(families)
	if err := execute(r); err != nil {
		return fmt.Errorf("keep TAP interface %s from an IPv6 address: %w", c.name, err)
	}
	return nil
}

// execute sends a request; what is there already is no error.
func execute(r *nl.NetlinkRequest) error {
	_, err := r.Execute(unix.NETLINK_ROUTE, 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}
