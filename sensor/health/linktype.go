package health

import "fmt"

// linkTypes are names that people know, by DLT number.
var linkTypes = map[uint32]string{
	0: "BSD loopback", 1: "Ethernet", 9: "PPP", 12: "raw IP", 14: "raw IP", 101: "raw IP", 105: "802.11", 108: "OpenBSD loopback",
	113: "Linux cooked", 127: "802.11 with radiotap", 189: "USB", 220: "USB", 228: "IPv4", 229: "IPv6", 239: "NFLOG",
	276: "Linux cooked, version 2",
}

// linkType is a link type with its number.
func linkType(dlt uint32) string {
	if name := linkTypes[dlt]; name != "" {
		return fmt.Sprintf("%s (%d)", name, dlt)
	}
	return fmt.Sprintf("number %d", dlt)
}
