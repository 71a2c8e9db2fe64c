package windows

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"testing"
)

// TestIcon reads the file as Windows does: a list of pictures with their places.
func TestIcon(t *testing.T) {
	ico, err := Icon()
	if err != nil {
		t.Fatal(err)
	}
	if n := int(binary.LittleEndian.Uint16(ico[4:])); n != len(iconSizes) {
		t.Fatalf("%d pictures, want %d", n, len(iconSizes))
	}
	for i, size := range iconSizes {
		entry := ico[6+16*i:]
		length, offset := binary.LittleEndian.Uint32(entry[8:]), binary.LittleEndian.Uint32(entry[12:])
		m, err := png.Decode(bytes.NewReader(ico[offset : offset+length]))
		if err != nil {
			t.Fatal(err)
		}
		if int(entry[0]) != size%256 || m.Bounds().Dx() != size || m.Bounds().Dy() != size {
			t.Errorf("%d: the list says %d, the picture is %v", size, entry[0], m.Bounds())
		}
		_, _, _, corner := m.At(0, 0).RGBA()
		red, _, blue, middle := m.At(size/2, size/2).RGBA()
		if corner != 0 || middle != 0xffff || red != 0xffff || blue != 0xffff {
			t.Errorf("%d: the corner is not empty, or the middle is not white", size)
		}
		if red, _, blue, _ := m.At(size/10, size/2).RGBA(); red >= blue {
			t.Errorf("%d: the ground is not blue", size)
		}
	}
}
