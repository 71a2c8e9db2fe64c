package files

import (
	"encoding/binary"

	"rpcapd/savefile"
)

// tally counts frames and the bytes of data in them.
type tally struct{ frames, bytes uint64 }

func (t *tally) add(o tally) { t.frames, t.bytes = t.frames+o.frames, t.bytes+o.bytes }

// less is what of t is not in o.
func (t tally) less(o tally) tally {
	return tally{t.frames - min(t.frames, o.frames), t.bytes - min(t.bytes, o.bytes)}
}

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
