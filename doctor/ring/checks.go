package ring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"golang.org/x/net/bpf"

	"rpcapd/capture"
	"rpcapd/doctor"
	"rpcapd/doctor/host"
	"rpcapd/filter"
	"rpcapd/iface"
	"rpcapd/numbers"
)

// Options say what the agent would capture.
type Options struct {
	Bytes    int    // of one ring
	Captures int    // that there may be
	Fanout   bool   // a line asks for it
	Cure     string // how the agent gets the right to capture
	// Others tells that the right of this user does not matter, because the agent runs as another one, and why; empty: it does.
	Others string
}

// Checks are those of the captures.
func Checks(o Options) []doctor.Check {
	return []doctor.Check{
		{Name: "right", Asks: "whether this user may capture", Run: doctor.One(o.right)},
		{Name: "ring", Asks: "whether the kernel maps a capture ring of the agent's size", Run: doctor.One(o.ring)},
		doctor.LinuxOnly(doctor.Check{Name: "fanout", Asks: "whether captures can share the traffic of an interface", Run: doctor.One(o.fanout)}),
		doctor.LinuxOnly(doctor.Check{Name: "memory", Asks: "whether there is memory for all rings", Run: doctor.One(o.memory)}),
	}
}

// nothing accepts no frame.
func nothing() filter.Program {
	refuse, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return filter.Program{}
	}
	return filter.Program{Kernel: refuse}
}

// device is an interface on which a capture can be tried: one that is up, no loopback if there is another.
func device() string {
	list, err := iface.List()
	if err != nil {
		return ""
	}
	name := ""
	for _, i := range list {
		if i.Flags.Has(iface.Up) && (name == "" || !i.Flags.Has(iface.Loopback)) {
			if name = i.Name; !i.Flags.Has(iface.Loopback) {
				break
			}
		}
	}
	return name
}

// open opens a ring for a moment.
func (o Options) open(f *capture.Fanout) (name string, err error) {
	if name = device(); name == "" {
		return "", errors.New("no interface is up")
	}
	src, err := capture.Open(capture.Options{Interface: name, RingBytes: o.Bytes, Filter: nothing(), Fanout: f})
	if err != nil {
		return name, err
	}
	return name, src.Close()
}

func (o Options) right(context.Context) doctor.Result {
	name := device()
	if name == "" {
		return doctor.NotChecked("no interface is up")
	}
	src, err := capture.Open(capture.Options{Interface: name, Filter: nothing()})
	if err == nil {
		_ = src.Close() // nothing was captured
		return doctor.OK("this user may capture")
	}
	var driver *capture.NoDriverError
	switch {
	case errors.As(err, &driver):
		return doctor.Failed(driver.Error(), "nothing can be captured", "install Npcap (https://npcap.com), or set Driver = raw in the ini")
	case !errors.Is(err, fs.ErrPermission):
		return doctor.OK("the right to capture is there; %s cannot be opened for another reason: %v", name, err)
	case o.Others != "":
		return doctor.NotChecked("this user may not capture, but %s", o.Others)
	}
	return doctor.Failed("this user has no right to capture", "an agent of this user connects to its sensors, and captures nothing", o.Cure)
}

func (o Options) ring(context.Context) doctor.Result {
	name, err := o.open(nil)
	switch {
	case err == nil:
		return doctor.OK("a ring of %s on %s", host.Bytes(uint64(o.Bytes)), name)
	case errors.Is(err, fs.ErrPermission):
		return doctor.NotChecked("needs the right to capture: run it as root")
	case name == "":
		return doctor.NotChecked("%v", err)
	}
	return doctor.Failed(fmt.Sprintf("a ring of %s on %s: %v", host.Bytes(uint64(o.Bytes)), name, err), "no capture can start", "ask for a smaller ring, such as -z 4M, or free memory: free -m")
}

func (o Options) fanout(context.Context) doctor.Result {
	name, err := o.open(&capture.Fanout{})
	switch {
	case err == nil:
		return doctor.OK("the kernel shares traffic by flow (tried on %s)", name)
	case errors.Is(err, fs.ErrPermission):
		return doctor.NotChecked("needs the right to capture: run it as root")
	case name == "":
		return doctor.NotChecked("%v", err)
	case o.Fanout:
		return doctor.Failed(fmt.Sprintf("fanout on %s: %v", name, err), "lines with fanout capture nothing", "take fanout= out of the lines of the ini")
	}
	return doctor.Warning(fmt.Sprintf("fanout on %s: %v", name, err), "no line asks for it, but none could", "nothing to do")
}

func (o Options) memory(context.Context) doctor.Result {
	free, why, ok := host.FreeMemory()
	if !ok {
		return doctor.NotChecked("the system does not tell how much memory is free")
	}
	needed := uint64(o.Captures) * uint64(o.Bytes)
	seen := fmt.Sprintf("%s for the rings of %s, %s available (%s)", host.Bytes(needed), numbers.Things(o.Captures, "capture"), host.Bytes(free), why)
	if needed > free*8/10 {
		return doctor.Failed(seen, "captures do not start, or the system ends a process", "ask for smaller rings: -z 4M, in /etc/default/rpcapd or /etc/sysconfig/rpcapd")
	}
	if runtime.GOOS == "linux" && needed > free/2 {
		return doctor.Warning(seen, "little is left for others", "ask for smaller rings: -z 4M, in /etc/default/rpcapd or /etc/sysconfig/rpcapd")
	}
	return doctor.OK("%s", seen)
}
