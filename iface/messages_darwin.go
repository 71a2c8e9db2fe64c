package iface

import "golang.org/x/sys/unix"

// watchedMessages are the kinds of routing messages that tell of interfaces and their addresses.
var watchedMessages = []byte{unix.RTM_IFINFO, unix.RTM_IFINFO2, unix.RTM_NEWADDR, unix.RTM_DELADDR}
