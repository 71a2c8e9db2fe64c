package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

const twoLines = "ActiveClient = 10.0.0.1, 2003\nNullAuthPermit = YES\n"

func utf16Bytes(text string, big bool) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

func TestEncodings(t *testing.T) {
	for name, data := range map[string][]byte{
		"LF":                  []byte(twoLines),
		"CRLF":                []byte(strings.ReplaceAll(twoLines, "\n", "\r\n")),
		"CRCRLF":              []byte(strings.ReplaceAll(twoLines, "\n", "\r\r\n")),
		"CR":                  []byte(strings.ReplaceAll(twoLines, "\n", "\r")),
		"no final newline":    []byte(strings.TrimSuffix(twoLines, "\n")),
		"CRLF, no final one":  []byte(strings.TrimSuffix(strings.ReplaceAll(twoLines, "\n", "\r\n"), "\r\n")),
		"UTF-8 mark":          []byte("\xef\xbb\xbf" + twoLines),
		"UTF-16 little, CRLF": utf16Bytes(strings.ReplaceAll(twoLines, "\n", "\r\n"), false),
		"UTF-16 big":          utf16Bytes(twoLines, true),
	} {
		a, problems := ParseAgent("x.ini", data)
		if len(problems) > 0 || len(a.Targets) != 1 || a.Targets[0].Line != 1 || !a.NullAuth {
			t.Errorf("%s: got %+v, problems %v", name, a, problems)
		}
	}
}

// TestOtherLetters: names of adapters have blanks and any letters, and lines keep their numbers, in every encoding.
func TestOtherLetters(t *testing.T) {
	const text = "# Ärger 😀 \ufffd\r\n\r\nActiveClient = 10.0.0.1, 2003, ifname=Überträger-網路\r\nNullAuthPermit = YES\r\n"
	for name, data := range map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 mark": []byte("\ufeff" + text), "UTF-16 little": utf16Bytes(text, false), "UTF-16 big": utf16Bytes(text, true),
	} {
		a, problems := ParseAgent("x.ini", data)
		if len(problems) > 0 || len(a.Targets) != 1 || a.Targets[0].Line != 3 || a.Targets[0].Select.Name != "Überträger-網路" {
			t.Errorf("%s: got %+v, problems %v", name, a, problems)
		}
	}
	path := filepath.Join(t.TempDir(), "Prögram Data 網", "my rpcapd.ini")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("\ufeffMaxRate = x\r\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := LoadAgent(path); err != nil || !strings.HasPrefix(problems.Err().Error(), path+":1: MaxRate") {
		t.Errorf("%s: %v, %v", path, problems, err)
	}
	// The code page of an editor of Windows is refused by line, not guessed.
	a, problems := ParseAgent("x.ini", []byte("ActiveClient = 10.0.0.1, 2003, ifname=\xdcbertr\xe4ger\r\nNullAuthPermit = YES\r\n"))
	if len(a.Targets) > 0 || len(problems) == 0 || problems[0].Line != 1 || !strings.Contains(problems[0].Text, "save the file as UTF-8") {
		t.Errorf("Windows-1252: %+v, %v", a.Targets, problems)
	}
}

func TestCommentLines(t *testing.T) {
	a := agent(t, "# ActiveClient = x\n; ActiveClient = y\n  # ActiveClient = z\n\t;a\n#b\xff\n\n"+twoLines)
	if len(a.Targets) != 1 || a.Targets[0].Line != 7 {
		t.Errorf("targets %+v", a.Targets)
	}
}

// The library must see neither continuation lines nor values over several lines.
func TestLinesAreLines(t *testing.T) {
	for _, value := range []string{`a\`, "`a", `"""a`, `"a`, "'a", "'a'", "%(x)s", "``", "a`b`"} {
		s, problems := ParseSensor("x.ini", []byte("[rule a]\nFilter = "+value+"\nPort = 2010\n"))
		if len(problems) > 0 || s.Rules[0].Port != 2010 || s.Rules[0].Filter != value {
			t.Errorf("%s: got %+v, problems %v", value, s.Rules, problems)
		}
	}
}

func TestUselessFiles(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"program", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 100)...), "binary data: this is no text file"},
		{"UTF-16 without mark", utf16Bytes(twoLines, false)[2:], "UTF-16 without a byte-order mark"},
		{"UTF-16 cut", utf16Bytes(twoLines+"x", false)[:2+2*len(twoLines)+1], "half a character at its end"},
		{"UTF-8 appended to UTF-16", append(utf16Bytes(twoLines, false), "User = x\n"...), "half a character at its end"},
		{"half a surrogate", append(utf16Bytes(twoLines, true), 0xd8, 0x00, 0x00, 'x'), "damaged on line 3"},
		{"10 MB", []byte(strings.Repeat("ActiveClient = a\n", 10<<20/17)), "larger than 1 MiB"},
		{"10 MB of zeros", make([]byte, 10<<20), "larger than 1 MiB"},
	}
	for _, tt := range tests {
		a, problems := ParseAgent("x.ini", tt.data)
		if len(problems) != 1 || problems[0].Warning || !strings.HasPrefix(problems[0].String(), "x.ini: "+tt.want) && !strings.Contains(problems[0].Text, tt.want) {
			t.Errorf("%s: problems %v, want one error with %q", tt.name, problems, tt.want)
		}
		if len(a.Targets) > 0 {
			t.Errorf("%s: %d targets", tt.name, len(a.Targets))
		}
	}
}

// The library compares each new key with all before: what it is not given costs
// nothing. A file of the largest size must not hold up the start: it takes four times what a quarter of it takes, not sixteen.
func TestManyKeysAreQuick(t *testing.T) {
	var unknown, lines strings.Builder
	for i := 0; unknown.Len() < maxFile-20; i++ {
		unknown.WriteString("k" + string(rune('a'+i%26)) + strings.Repeat("x", i%7) + "=\n")
	}
	for lines.Len() < maxFile-20 {
		lines.WriteString("ActiveClient=a\n")
	}
	for _, text := range []string{unknown.String(), lines.String(), strings.Repeat("[rule a]\n", maxFile/9), strings.Repeat("#", maxFile)} {
		took := func(text string) time.Duration {
			start := time.Now()
			ParseAgent("x.ini", []byte(text))
			ParseSensor("x.ini", []byte(text))
			return time.Since(start)
		}
		if quarter, all := took(text[:len(text)/4]), took(text); all > 10*quarter+5*time.Second {
			t.Errorf("%.20q… took %v, a quarter of it %v", text, all, quarter)
		}
	}
}

func TestLoadAgent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(path, []byte(twoLines), 0o600); err != nil {
		t.Fatal(err)
	}
	a, problems, err := LoadAgent(path)
	if err != nil || len(problems) > 0 || len(a.Targets) != 1 {
		t.Errorf("got %+v, %v, %v", a, problems, err)
	}
	if _, _, err := LoadAgent(filepath.Join(dir, "none.ini")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.ini") {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := LoadAgent(dir); err == nil || !strings.Contains(err.Error(), "it is a directory") {
		t.Errorf("directory: %v", err)
	}
	if err := os.Truncate(path, 10<<20); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := LoadAgent(path); err != nil || problems.Err() == nil || !strings.Contains(problems.Err().Error(), "larger than 1 MiB") {
		t.Errorf("10 MB: %v, %v", problems, err)
	}
}
