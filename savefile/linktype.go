package savefile

// FromDLT converts a DLT number, which differs between systems for a few link types, to the LINKTYPE number
// of capture files.
func FromDLT(dlt uint32) uint32 {
	switch dlt {
	case 12, 14: // raw IP on Linux and most others; on OpenBSD
		return 101
	case 11: // RFC 1483 ATM
		return 100
	}
	return dlt
}
