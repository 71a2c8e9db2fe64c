//go:build dragonfly || freebsd || netbsd || openbsd

package iface

import "golang.org/x/sys/unix"

// watchedMessages are the kinds of routing messages that tell of interfaces, which come and go, and their addresses.
var watchedMessages = []byte{unix.RTM_IFINFO, unix.RTM_IFANNOUNCE, unix.RTM_NEWADDR, unix.RTM_DELADDR}
