package files

import (
	"encoding/binary"

	"rpcapd/savefile"
)

// interfaceSize is more than any interface block has: four texts and what is around them.
const interfaceSize = 4*(savefile.MaxText+8) + 64

// wholeRecords is the length of the header and the records of a classic file at the start of b that end within n bytes,
// and the records behind them.
func wholeRecords(b []byte, header, n int) (whole int, rest tally) {
	if n >= header {
		whole = header
	}
	for at := header; len(b)-at >= savefile.PcapRecordSize(0); {
		caplen := binary.LittleEndian.Uint32(b[at+8:])
		at += savefile.PcapRecordSize(int(caplen))
		if at <= n {
			whole = at
		} else {
			rest.add(tally{1, uint64(caplen)})
		}
	}
	return whole, rest
}
