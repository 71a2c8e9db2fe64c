// Package debian makes Debian systems in folders, for tests that install or run something there.
//
// A system is made by debootstrap, once, and kept in ${XDG_CACHE_HOME:-~/.cache}/rpcapd-test, outside the repository. Tests use it
// as the lower folder of an overlay, or write nothing into it. It needs root, debootstrap, and a Debian mirror.
package debian
