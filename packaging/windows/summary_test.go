package windows

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// summary is one with a text and both times, behind something else.
func summary() []byte {
	le := binary.LittleEndian
	section := le.AppendUint32(le.AppendUint32(nil, 68), 3)
	for i, id := range []uint32{2, summaryCreated, summarySaved} {
		section = le.AppendUint32(le.AppendUint32(section, id), uint32(32+12*i))
	}
	section = append(section, 31, 0, 0, 0, 2, 0, 0, 0, 'a', 0, 0, 0)
	for range 2 {
		section = le.AppendUint64(le.AppendUint32(section, typeTime), 7)
	}
	head := append([]byte{0xfe, 0xff, 0, 0, 5, 0, 2, 0}, make([]byte, 16)...)
	head = append(append(head, 1, 0, 0, 0), summaryFormat...)
	return bytes.Join([][]byte{make([]byte, 100), le.AppendUint32(head, 48), section}, nil)
}

func TestSummaryTimes(t *testing.T) {
	msi := summary()
	at, err := summaryTimes(msi)
	if err != nil || len(at) != 2 || binary.LittleEndian.Uint64(msi[at[0]:]) != 7 || at[1] != at[0]+12 {
		t.Fatal(at, err)
	}
	for n := range len(msi) {
		if at, err := summaryTimes(msi[:n]); err == nil {
			t.Errorf("the first %d bytes: %v", n, at)
		}
	}
	binary.LittleEndian.PutUint32(msi[at[0]-4:], 31)
	if _, err := summaryTimes(msi); err == nil {
		t.Error("a text is taken for a time")
	}
}

func TestFileTime(t *testing.T) {
	for text, want := range map[string]uint64{"1601-01-01T00:00:00Z": 0, "1970-01-01T00:00:00Z": 116444736000000000} {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.LittleEndian.Uint64(fileTime(when)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestUUID(t *testing.T) {
	a, b := uuid("a"), uuid("b")
	if a == b || a != uuid("a") || len(a) != 36 || a[14] != '8' {
		t.Errorf("%s %s", a, b)
	}
}
