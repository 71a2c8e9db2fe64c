package address

import "golang.org/x/sys/windows"

// What listening on a port can fail with. Package syscall has numbers of its own under the names of Unix, which no call returns.
const (
	errInUse    = windows.WSAEADDRINUSE
	errDenied   = windows.WSAEACCES
	errNotHere  = windows.WSAEADDRNOTAVAIL
	errNoFamily = windows.WSAEAFNOSUPPORT
)

// What helps. Windows reserves ranges of ports, for Hyper-V above all.
const (
	showPorts     = "netstat -abno"
	showAddresses = "ipconfig"
	deniedCure    = "Windows or another program has reserved it (netsh int ipv4 show excludedportrange tcp, or udp); take another port"
)
