package tap

import (
	"fmt"
	"strings"

	"go.uber.org/zap"
)

const (
	// DefaultInterface is the interface's name unless told otherwise.
	DefaultInterface = "rpcap0"
	// MaxMTU is the largest MTU of a TAP interface: 65,535 bytes with the Ethernet header (tun_net_init in the kernel's
	// drivers/net/tun.c).
	MaxMTU = 65521
	// MinMTU is the smallest: that of IPv4 (RFC 791).
	MinMTU = 68
	// maxName is IFNAMSIZ without the final zero.
	maxName = 15
)

// Options configures New.
type Options struct {
	Interface string // empty: DefaultInterface
	MTU       int    // bytes, what the interface has at least from the start; 0: MaxMTU if it is made, else what it has
	NoGuard   bool   // the machine's own network stack gets the frames too: for bridges and the like
	Persist   bool   // an interface that Open makes stays when the program ends
	Log       *zap.Logger
}

// check fills in defaults and refuses what no interface can be.
func (o *Options) check() error {
	if o.Interface == "" {
		o.Interface = DefaultInterface
	}
	if err := checkName(o.Interface); err != nil {
		return err
	}
	if o.MTU != 0 && (o.MTU < MinMTU || o.MTU > MaxMTU) {
		return fmt.Errorf("check TAP interface %s: MTU %d: not within %d to %d", o.Interface, o.MTU, MinMTU, MaxMTU)
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return nil
}

// checkName refuses what the kernel would not take as an interface's name, or would take as a pattern.
func checkName(name string) error {
	if name == "" || len(name) > maxName || name == "." || name == ".." || strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || c == '/' || c == ':' || c == '%'
	}) {
		return fmt.Errorf("check TAP interface %q: a name has 1 to %d letters, digits or signs, and no blank, /, : or %%", name, maxName)
	}
	return nil
}
