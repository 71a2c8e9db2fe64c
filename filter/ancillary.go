package filter

// Loads from very large offsets give metadata of the kernel (linux/filter.h).
// Offsets between the two constants count from the network header or from the
// link-layer header.
const (
	ancillaryBase = 0xfffff000 // SKF_AD_OFF
	negativeBase  = 0x80000000

	ancillaryVLANTag     = ancillaryBase + 44
	ancillaryVLANPresent = ancillaryBase + 48
	ancillaryVLANTPID    = ancillaryBase + 60
)

// ancillaryNames are the metadata that the kernel knows, by offset from the base.
var ancillaryNames = map[uint32]string{
	0:  "the protocol",
	4:  "the packet type",
	8:  "the interface index",
	12: "a netlink attribute",
	16: "a nested netlink attribute",
	20: "the mark",
	24: "the queue",
	28: "the hardware type",
	32: "the flow hash",
	36: "the CPU number",
	40: "A xor X",
	44: "the VLAN tag",
	48: "the presence of a VLAN tag",
	52: "the payload offset",
	56: "a random number",
	60: "the VLAN protocol",
}

// ancillary returns what a load of this opcode and constant would give, if the
// kernel knows it. Loads into X never give metadata.
func ancillary(op uint16, k uint32) (name string, ok bool) {
	if k < ancillaryBase || (op != opLdW && op != opLdH && op != opLdB) {
		return "", false
	}
	name, ok = ancillaryNames[k-ancillaryBase]
	return name, ok
}
