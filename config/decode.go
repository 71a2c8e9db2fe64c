package config

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is what a text file holds, from any system.
func Text(data []byte) (string, error) { return decode(data) }

// decode turns the bytes of a file into text whose lines end with LF. Editors and
// shells of Windows write byte-order marks, CRLF, and UTF-16; all of that is taken.
func decode(data []byte) (string, error) {
	if len(data) > maxFile {
		return "", fmt.Errorf("larger than %d MiB: this is no configuration file", maxFile>>20)
	}
	var err error
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data, err = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data, err = fromUTF16(data[2:], binary.BigEndian)
	}
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("binary data: this is no text file (or it is UTF-16 without a byte-order mark; save it as UTF-8)")
	}
	return unixLines(string(data)), nil
}

// fromUTF16 converts to UTF-8. What is cut, or has had UTF-8 text appended, is refused: the rest could be read as anything.
func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, errors.New("UTF-16 text with half a character at its end: it was cut, or something has appended text in another encoding; save it as UTF-8")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	text := utf16.Decode(units)
	for i, n := 0, 0; i < len(text); i, n = i+1, n+1 {
		if text[i] == utf8.RuneError && units[n] != utf8.RuneError {
			return nil, fmt.Errorf("UTF-16 text that is damaged on line %d; type the line again and save the file as UTF-8", 1+strings.Count(string(text[:i]), "\n"))
		}
		if text[i] > 0xffff { // two units
			n++
		}
	}
	return []byte(string(text)), nil
}

// unixLines makes any number of CR before a LF, and a CR that stands alone, one LF.
func unixLines(text string) string {
	if strings.IndexByte(text, '\r') < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\r' {
			b.WriteByte(text[i])
			continue
		}
		for i+1 < len(text) && text[i+1] == '\r' {
			i++
		}
		if i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// maxFile bounds an ini file. Ten thousand ActiveClient lines are half of it.
const maxFile = 1 << 20
