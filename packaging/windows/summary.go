package windows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"
)

// The summary of an msi is a property set ([MS-OLEPS]):
//
//	byte 0    fffe 0000, system, class id, 1 (number of sections)
//	byte 28   format id of the summary, offset of the section from byte 0
//	section   size, number of properties, for each: id and offset from the section
//	property  type (64: a time, 31: a text, 3: a number), value
var summaryFormat = []byte("\xe0\x85\x9f\xf2\xf9\x4f\x68\x10\xab\x91\x08\x00\x2b\x27\xb3\xd9")

// Numbers of properties and the type of a time.
const (
	summaryCreated, summarySaved = 12, 13
	typeTime                     = 64
)

// summaryTimes finds where in the file both times are. The summary is short, and the tools write short streams in one piece.
func summaryTimes(msi []byte) ([]int, error) {
	start := bytes.Index(msi, append([]byte("\x01\x00\x00\x00"), summaryFormat...)) - 24
	if start < 0 {
		return nil, errors.New("the file has no summary")
	}
	number := func(at int) int {
		if at < 0 || at+4 > len(msi) {
			return -1
		}
		return int(binary.LittleEndian.Uint32(msi[at:]))
	}
	section := start + number(start+44)
	var found []int
	for i := range min(number(section+4), 64) {
		id, at := number(section+8+8*i), section+number(section+12+8*i)
		if id == summaryCreated || id == summarySaved {
			if number(at) != typeTime || at+12 > len(msi) {
				return nil, errors.New("the summary has no time where it should be")
			}
			found = append(found, at+4)
		}
	}
	if len(found) != 2 {
		return nil, errors.New("the summary does not have both times")
	}
	return found, nil
}

// fileTime counts tenths of microseconds since 1601.
func fileTime(t time.Time) []byte {
	const since1601 = 11644473600
	return binary.LittleEndian.AppendUint64(nil, uint64(t.Unix()+since1601)*10_000_000)
}
